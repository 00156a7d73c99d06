"""Settings of a live run: shown as they are, changed, asked for, confirmed or refused."""

from pathlib import Path

import pytest

from epochtop.core import Run
from epochtop.core.events import SettingChanged, Warned
from epochtop.core.run.control import Change, take_commands
from epochtop.core.settings.declaration import Settings
from epochtop.core.settings.fields import setting_fields
from epochtop.tui.asking import resumption
from epochtop.tui.form.tuning import Tuning

from ..records import finished_record, started_record, write_journal
from .app_driver import FakeEngines, OpenApp, finished_run, live_run, open_app


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> FakeEngines:
    """What the app starts in this test is noted and not trained."""
    fake = FakeEngines()
    monkeypatch.setattr(resumption, "launch", fake.launch)
    return fake


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return live_run(tmp_path / "runs", started_record())


async def until_asked(screen: OpenApp, run: Run, *changes: Change) -> None:
    taken: list[object] = []

    def all_taken() -> bool:
        taken.extend(take_commands(run))
        return len(taken) >= len(changes)

    await screen.until(all_taken, f"{changes}, not {taken}")
    assert taken == list(changes)


async def test_a_change_is_pending_then_asked_for_then_done(run: Run) -> None:
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("live")
        assert not screen.is_enabled("apply")
        await screen.type_into("optim.lr", "0.5")
        assert screen.sign("optim.lr") == "pending"
        await screen.until(lambda: "0.5 " in screen.picture and "pending" in screen.picture, "it")
        screen.press("enter")
        await until_asked(screen, run, Change("optim.lr", 0.5))
        assert screen.sign("optim.lr") == "asked"
        assert not screen.is_enabled("apply")

        changed = SettingChanged(setting="optim.lr", before=0.01, after=0.5, by="request")
        write_journal(run, changed)
        await screen.until(lambda: screen.sign("optim.lr") == "", "the answer")
        assert screen.text("optim.lr") == "0.5"


async def test_several_changes_are_sent_with_the_button(run: Run) -> None:
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("live")
        await screen.type_into("train.epochs", "500")
        await screen.type_into("stopping.patience", "20")
        await screen.go_to(screen.main.query_one("#apply"))
        screen.press("enter")
        await until_asked(screen, run, Change("train.epochs", 500), Change("stopping.patience", 20))


async def test_what_the_engine_refuses_says_why_below_the_row(run: Run) -> None:
    async with open_app(run.path.parent, run, size=(120, 50)) as screen:
        await screen.until_status("live")
        await screen.type_into("train.epochs", "3")
        screen.press("enter")
        await until_asked(screen, run, Change("train.epochs", 3))
        write_journal(run, Warned(message="not changed: train.epochs: found 3; allowed: more"))
        await screen.until_problem("train.epochs", "not changed: train.epochs: found 3")
        assert screen.text("train.epochs") == "3"
        await screen.until(lambda: "not changed:" in screen.picture, "the reason")

        await screen.type_into("train.epochs", "300")
        assert screen.problem("train.epochs") == ""


async def test_a_wrong_value_is_not_sent(run: Run) -> None:
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("live")
        await screen.type_into("optim.lr", "-1")
        screen.press("enter")
        await screen.until_problem("optim.lr", "allowed: a number greater than 0")
        assert not screen.is_enabled("apply")
        assert list(take_commands(run)) == []


async def test_a_change_made_elsewhere_is_shown_unless_the_field_is_edited(run: Run) -> None:
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("live")
        await screen.type_into("optim.lr", "0.7")
        for setting, before, after in (("optim.lr", 0.01, 0.5), ("train.epochs", 200, 77)):
            changed = SettingChanged(setting=setting, before=before, after=after, by="request")
            write_journal(run, changed)
        await screen.until(lambda: screen.text("train.epochs") == "77", "the new epochs")
        assert screen.text("optim.lr") == "0.7"
        assert screen.sign("optim.lr") == "pending"


async def test_what_was_typed_and_not_sent_is_still_there_after_the_end(run: Run) -> None:
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("live")
        await screen.type_into("optim.lr", "0.7")
        changed = SettingChanged(setting="train.epochs", before=200, after=77, by="request")
        write_journal(run, changed, finished_record())
        await screen.until_status("completed")
        assert screen.text("optim.lr") == "0.7"
        assert screen.text("train.epochs") == "77"
        assert screen.is_enabled("start")


async def test_what_was_typed_for_the_next_run_survives_a_resumed_one(
    tmp_path: Path, engines: FakeEngines
) -> None:
    run = finished_run(tmp_path / "runs", started_record(), finished_record("stopped"))
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("stopped")
        await screen.type_into("model.hidden", "7")
        screen.press("f12")
        await screen.until(lambda: engines.runs, "an engine")
        engines.go_on(run, 0)
        await screen.until_status("live")
        assert screen.text("model.hidden") == "64, 64"
        write_journal(run, finished_record())
        await screen.until_status("completed")
        assert screen.text("model.hidden") == "7"


async def test_n_goes_to_the_settings_of_the_run_as_it_ended(tmp_path: Path) -> None:
    changed = SettingChanged(setting="optim.lr", before=0.01, after=0.5, by="request")
    run = finished_run(tmp_path / "runs", started_record(), changed, finished_record())
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("completed")
        screen.press("n")
        await screen.until(lambda: screen.is_typing_into("optim.lr"), "the learning rate")
        assert screen.text("optim.lr") == "0.5"


async def test_n_waits_for_the_end_of_a_live_run(run: Run) -> None:
    async with open_app(run.path.parent, run) as screen:
        await screen.until_status("live")
        screen.press("n")
        await screen.until_log("a run is live; when it has ended")


def test_a_change_that_does_not_fit_a_fixed_setting_is_said_where_it_was_typed() -> None:
    from epochtop.core import resolve_settings

    tuning = Tuning.of(resolve_settings(overrides=["optim.warmup_epochs=10"]))
    tuning = tuning.typed("train.epochs", "9")
    assert list(tuning.problems) == ["train.epochs"]
    assert tuning.changes == ()


def test_a_change_is_asked_for_once_and_again_after_a_refusal() -> None:
    tuning = Tuning.of(Settings()).typed("optim.lr", "0.5")
    asked = tuning.asking(tuning.changes)
    assert asked.changes == ()
    refused = asked.after(Warned(message="not training yet; dropped: Change"))
    assert refused.changes == (Change("optim.lr", 0.5),)
    assert "optim.lr" in refused.refused


def test_the_settings_that_can_be_tuned_are_those_that_are_declared_live() -> None:
    assert [field.path for field in setting_fields() if field.live] == [
        "optim.lr",
        "optim.weight_decay",
        "train.epochs",
        "stopping.patience",
        "stopping.min_delta",
    ]
