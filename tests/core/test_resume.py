"""A run goes on from where it was, with what its user says now, and tells what it did."""

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from epochtop.core import Run, load_checkpoint
from epochtop.core.errors import NothingLeftError, RunError, SettingsError
from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    RunResumed,
    SettingChanged,
)
from epochtop.core.run.control import Change, Stop, send_command

from .engines import endings, events_of
from .interruptions import comparable, standing
from .resumptions import (
    assert_same,
    epochs_of,
    killed_at,
    resume,
    resumed_record,
    save_at_every_ask,
    send_after_epoch,
    stopped,
    train,
    warnings_of,
)

pytestmark = pytest.mark.usefixtures("at_every_ask")


# It goes on.


def test_a_stopped_run_goes_on_as_if_it_had_never_stopped(tmp_path: Path, whole: Run) -> None:
    run = stopped(tmp_path)
    assert endings(run)[-1].epoch == 3

    assert resume(run).exit_code == 0

    assert_same(run, whole)
    assert [finished.reason for finished in endings(run)] == ["stopped", "completed"]


def is_epoch_5(event: Event) -> bool:
    return isinstance(event, EpochCompleted) and event.epoch == 5


def is_best_before_7(event: Event) -> bool:
    return isinstance(event, CheckpointSaved) and event.kind == "best" and event.epoch < 7


def is_in_evaluation(event: Event) -> bool:
    """The last one within an epoch is written while it is evaluated."""
    return isinstance(event, CheckpointSaved) and event.kind == "last" and event.epoch == 5


@pytest.mark.parametrize("is_moment", [is_epoch_5, is_best_before_7, is_in_evaluation])
def test_a_killed_run_goes_on_as_if_it_had_never_been_killed(
    is_moment: Callable[[Event], bool],
    tmp_path: Path,
    whole: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_at_every_ask(monkeypatch)
    run = killed_at(tmp_path, is_moment)
    assert endings(run) == []

    resume(run)

    assert_same(run, whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("asks", [1, 3, 6], ids=["between epochs", "in an epoch", "evaluating"])
def test_a_run_that_a_signal_ended_goes_on_as_if_none_had_come(
    asks: int,
    number: signal.Signals,
    tmp_path: Path,
    whole: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_at_every_ask(monkeypatch)
    saved = 0

    def hear(_: Run, event: Event) -> None:
        nonlocal saved
        if isinstance(event, CheckpointSaved) and (event.kind, event.epoch) == ("last", 3):
            saved += 1
            if saved == asks:
                signal.raise_signal(number)

    run = train(tmp_path, hear=hear)
    (finished,) = endings(run)
    assert (finished.reason, finished.epoch) == ("interrupted", 3)
    batches = load_checkpoint(run.path / "last.pt")["state"]["progress"]["batches"]
    assert batches == {1: 0, 3: 2, 6: 4}[asks]

    resume(run)

    assert_same(run, whole)


def test_the_journal_says_what_was_restored_and_by_whom(tmp_path: Path) -> None:
    run = stopped(tmp_path)
    steps = load_checkpoint(run.path / "last.pt")["step"]
    resume(run)

    record = resumed_record(run)
    assert (record.epoch, record.step) == (3, steps)
    assert record.batches_into_next_epoch == steps - 3 * 4
    assert record.message == "restored last.pt"
    assert (record.pid, record.device) == (os.getpid(), "cpu")
    assert epochs_of(run) == list(range(1, 13))


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(
    tmp_path: Path, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epochtop.core.checkpoint.checkpoints._FIRST_WRITING_AFTER", math.inf)
    run = killed_at(tmp_path, lambda event: isinstance(event, EpochCompleted))
    assert not (run.path / "last.pt").exists()

    resume(run)

    assert_same(run, whole)
    assert resumed_record(run).epoch == 0
    assert "restored the start" in resumed_record(run).message


def test_real_engines_that_are_killed_at_random_moments_lose_nothing() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.kill_and_resume", "6", "1"]
    ended = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


# It has ended.


def test_a_run_that_has_ended_is_left_as_it_is(tmp_path: Path) -> None:
    run = train(tmp_path)
    before = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}

    with pytest.raises(NothingLeftError, match="has nothing left to train: all 12 epochs are done"):
        resume(run)

    assert {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()} == before


def test_a_run_that_has_ended_goes_on_to_more_epochs(tmp_path: Path, whole: Run) -> None:
    run = train(tmp_path, "train.epochs=7")

    resume(run, "train.epochs=12")

    assert comparable(standing(events_of(run))) == comparable(standing(events_of(whole)))


def test_an_early_stopped_run_does_not_train_one_more_epoch_unasked(tmp_path: Path) -> None:
    run = train(tmp_path, "stopping.patience=2", "stopping.min_delta=1")
    assert endings(run)[-1].reason == "early_stopped"
    epochs = epochs_of(run)

    with pytest.raises(NothingLeftError, match="nothing left to train: 2 epochs in a row without"):
        resume(run)
    assert epochs_of(run) == epochs


def test_an_early_stopped_run_goes_on_with_more_patience(tmp_path: Path) -> None:
    run = train(tmp_path, "stopping.patience=2", "stopping.min_delta=1")
    ended = epochs_of(run)[-1]

    resume(run, "stopping.patience=4")

    patient = train(tmp_path, "stopping.patience=4", "stopping.min_delta=1")
    assert epochs_of(run) == epochs_of(patient) == list(range(1, ended + 3))
    before, after = ([each.stopping for each in standing(events_of(r))][-1] for r in (run, patient))
    assert before == after


def test_a_run_killed_just_before_its_last_record_only_writes_that(
    tmp_path: Path, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_at_every_ask(monkeypatch)

    def is_last(event: Event) -> bool:
        return isinstance(event, CheckpointSaved) and event.by == "end" and event.kind == "last"

    run = killed_at(tmp_path, is_last)
    assert endings(run) == []

    resume(run)

    assert [finished.reason for finished in endings(run)] == ["completed"]
    assert_same(run, whole)


def test_the_last_checkpoint_is_the_last_also_after_one_in_the_last_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is the same within an evaluation and after it."""
    save_at_every_ask(monkeypatch)
    run = train(tmp_path, "train.epochs=2")
    assert load_checkpoint(run.path / "last.pt")["epoch"] == 2


# Its settings.


def test_the_users_settings_go_before_the_checkpoints(tmp_path: Path) -> None:
    run = stopped(tmp_path, "optim.weight_decay=0.1")

    resume(run, "optim.lr=0.001", "optim.weight_decay=0")

    changed = [event for event in events_of(run) if isinstance(event, SettingChanged)]
    assert [(each.setting, each.before, each.after, each.by) for each in changed] == [
        ("optim.lr", 0.05, 0.001, "resume"),
        ("optim.weight_decay", 0.1, 0.0, "resume"),
    ]
    last = standing(events_of(run))[-1]
    assert (last.lr, last.penalty) == (0.001, 0.0)
    state = load_checkpoint(run.path / "last.pt")["state"]
    assert state["optimizer"]["param_groups"][0]["lr"] == 0.001


def test_what_was_changed_while_a_run_lived_holds_when_it_goes_on(tmp_path: Path) -> None:
    run = killed_at(
        tmp_path,
        lambda event: isinstance(event, EpochCompleted) and event.epoch == 6,
        hear=send_after_epoch(2, Change("optim.lr", 0.002)),
    )

    resume(run)

    events = events_of(run)
    (resumed_at,) = (n for n, event in enumerate(events) if isinstance(event, RunResumed))
    assert {record.lr for record in standing(events[resumed_at:])} == {0.002}
    assert sum(isinstance(event, SettingChanged) for event in events) == 1


def test_changes_that_a_killed_engine_has_not_seen_are_made_and_all_else_is_dropped(
    tmp_path: Path,
) -> None:
    run = stopped(tmp_path)
    send_command(run, Stop("now"))
    send_command(run, Change("stopping.patience", 50))

    assert resume(run).finished.reason == "completed"

    (changed,) = (event for event in events_of(run) if isinstance(event, SettingChanged))
    assert (changed.setting, changed.after, changed.by) == ("stopping.patience", 50, "request")
    assert warnings_of(run) == ["dropped a request from before the run was resumed: Stop"]


def test_only_what_can_change_is_changed(tmp_path: Path) -> None:
    run = stopped(tmp_path)
    journal = run.journal_path.read_bytes()

    with pytest.raises(SettingsError, match=r"model\.hidden: found a setting that is fixed"):
        resume(run, "model.hidden=4")
    with pytest.raises(SettingsError, match=r"optim\.lr"):
        resume(run, "optim.lr=-1")

    assert run.journal_path.read_bytes() == journal


def test_patience_that_is_too_small_for_the_schedule_is_warned_of_when_a_run_goes_on(
    tmp_path: Path,
) -> None:
    run = stopped(tmp_path, "optim.schedule=plateau")
    assert warnings_of(run) == []

    resume(run, "stopping.patience=2")

    assert ["stopping.patience = 2 ends the run before" in text for text in warnings_of(run)] == [
        True
    ]


def test_settings_that_somebody_has_edited_are_refused_by_name(tmp_path: Path) -> None:
    run = stopped(tmp_path)
    toml = run.settings_path.read_text()
    run.settings_path.write_text(toml.replace('name = "adam"', 'name = "sgd"'))
    journal = run.journal_path.read_bytes()

    with pytest.raises(SettingsError) as caught:
        resume(run)

    where = f"{run.settings_path}: optim.name"
    assert str(caught.value) == f"{where}: found sgd; allowed: adam, with which the run began"
    assert run.journal_path.read_bytes() == journal


def test_who_trains_a_run_is_noted_or_said_to_be_impossible(tmp_path: Path) -> None:
    run = stopped(tmp_path)
    run.engine_path.unlink()
    run.engine_path.mkdir()

    with pytest.raises(RunError, match=r"engine\.json: cannot be written: Is a directory"):
        resume(run)

    assert not list(run.path.glob(".engine*"))
