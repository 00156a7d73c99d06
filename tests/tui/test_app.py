"""The app: a journal on the screen, keys, dialogs and layouts."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from epochtop.core import JournalReader, Run, list_runs, resolve_settings
from epochtop.core.events import (
    CheckpointSaved,
    Event,
    LossNotFinite,
    Paused,
    Resumed,
    RunResumed,
    SavedBy,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.core.run.control import Pause, SaveCheckpoint, Stop, Unpause, take_commands
from epochtop.core.run.directory import create_run
from epochtop.core.run.journal import encode
from epochtop.core.run.status import engine_process, write_engine_process
from epochtop.core.settings.toml_file import settings_to_toml
from epochtop.tui.asking import resumption
from epochtop.tui.following import follower as follower_module
from epochtop.tui.following import journal_parts
from epochtop.tui.keys import CURVE_MOUSE, KEY_GROUPS, KEYS_OF_WIDGETS, spell
from epochtop.tui.screens.help_screen import HelpScreen
from epochtop.tui.screens.quit_dialog import QuitDialog
from epochtop.tui.widgets.event_log import EventLog

from ..core.test_import_hygiene import packages_loaded_by
from ..records import (
    epoch_record,
    finished_record,
    improved,
    started_record,
    stopping_state,
    write_journal,
)
from ..waiting import LIMIT_SECONDS
from .app_driver import (
    MEDIUM,
    NARROW,
    WIDE,
    FakeEngines,
    OpenApp,
    Size,
    finished_run,
    live_run,
    open_app,
)

ALL_PANES = {"SettingsForm", "LossCurve", "StoppingPane", "EventLog"}
CURVE, FORM, LOG = {"LossCurve", "StoppingPane"}, {"SettingsForm"}, {"EventLog", "StoppingPane"}
HOSTILE, SPELLED_OUT = "[bold]boom[/] \x1b[31m", r"[bold]boom[/] \x1b[31m"


@pytest.fixture(autouse=True)
def engines(monkeypatch: pytest.MonkeyPatch) -> FakeEngines:
    """Nothing here trains, whatever key is pressed."""
    fake = FakeEngines()
    monkeypatch.setattr("epochtop.core.engine.launch.launch", fake.launch)
    monkeypatch.setattr(resumption, "launch", fake.launch)
    return fake


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The follower asks for the run's status before each of its many reads."""
    monkeypatch.setattr(follower_module, "_SECONDS_BETWEEN_STATUS_CHECKS", 0.0)


def epochs(last: int, *, first: int = 1) -> list[Event]:
    return [epoch_record(number) for number in range(first, last + 1)]


def saved(*, epoch: int, by: SavedBy) -> CheckpointSaved:
    return CheckpointSaved(kind="last", epoch=epoch, path="last.pt", bytes=2048, seconds=0.1, by=by)


def append_at_once(run: Run, records: list[Event]) -> None:
    """Add records so that a reader sees all of them or none."""
    with run.journal_path.open("ab", buffering=0) as journal:
        journal.write(b"".join(encode(record) + b"\n" for record in records))


async def next_command(screen: OpenApp, run: Run) -> object:
    """What the app has left for the engine, once it has."""
    await screen.until(lambda: any(run.control_path.glob("*.json")), "a command")
    (command,) = take_commands(run)
    return command


# --- before a run


def test_the_first_frame_loads_neither_torch_nor_sklearn_nor_plotext(tmp_path: Path) -> None:
    code = """
import asyncio, pathlib
from epochtop.tui.app import EpochtopApp

async def first_frame():
    async with EpochtopApp(pathlib.Path("runs")).run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert "Press&#160;s&#160;to&#160;start" in pilot.app.export_screenshot()

asyncio.run(first_frame())
"""
    loaded = packages_loaded_by(code, tmp_path)
    assert "textual" in loaded
    assert not loaded & {"torch", "sklearn", "plotext"}


async def test_without_a_run_the_keys_of_a_run_say_so_and_q_leaves(runs: Path) -> None:
    async with open_app(runs) as screen:
        assert "no run yet" in screen.status_line
        assert "No run yet" in screen.curve
        assert "nothing measured yet" in screen.stopping_line
        screen.press("x")
        await screen.until_log("no run is live")
        screen.press("X", "left", "down", "v")  # and an arrow before the first epoch is harmless
        await screen.until(lambda: screen.log.count("no run is live") == 2, "the second answer")
        screen.press("q")
        await screen.until_exit()
        assert screen.app.farewell() == []
    assert screen.app.return_code == 0
    assert not runs.exists()


async def test_what_is_typed_after_the_last_key_harms_nothing(runs: Path) -> None:
    async with open_app(runs) as screen:
        screen.press("c", "q", *"lecls" * 20)
        await screen.until_exit()

    assert screen.app.return_code == 0


# --- a run that has ended

FINISHED: dict[str, tuple[list[Event], list[str], list[str], list[str], list[str]]] = {
    "completed": (
        [started_record(epochs=5), *epochs(5), finished_record()],
        ["■ completed", "epoch 5/5", "digits-mlp"],
        ["┤", "◆"],
        ["completed after epoch 5", "best validation loss 0.4000 at epoch 5; 5 epochs in"],
        ["digits: 1,437 training", "epochs 1 to 5: 5 improvements, new best", "+ completed after"],
    ),
    "stopped early": (
        [
            started_record(),
            *epochs(5),
            epoch_record(6, stopping=improved(5, 0.4, patience=1)),
            finished_record("early_stopped", epoch=6, message="no improvement for 1 epoch"),
        ],
        ["■ stopped early", "epoch 6/200"],
        ["┤", "◆"],
        ["stopped early after epoch 6: no improvement for 1 epoch", "0.4000 at epoch 5"],
        ["+ stopped early after epoch 6: no improvement for 1 epoch"],
    ),
    "failed before the first epoch": (
        [finished_record("failed", epoch=0, best_epoch=None, best_loss=None, message="no column")],
        ["✗ failed", "digits-mlp"],
        ["The run ended before its first epoch was complete"],
        ["nothing measured yet"],
        ["x failed after epoch 0: no column"],
    ),
    "not finite": (
        [
            started_record(),
            LossNotFinite(epoch=1, step=3, which="train", value="inf"),
            epoch_record(1, train_loss=None, val_loss=None, stopping=stopping_state()),
            finished_record("not_finite", epoch=1, message="the train loss is inf"),
        ],
        ["✗ ended by a loss that is no number", "epoch 1/200"],
        ["┤"],
        ["ended by a loss that is no number after epoch 1: the train loss is inf"],
        ["x train loss is inf at epoch 1, step 3", "x ended by a loss that is no number"],
    ),
    "killed": (
        [started_record(), *epochs(3)],
        ["✗ killed", "epoch 3/200"],
        ["┤", "◆"],
        ["killed at epoch 3 of 200", "best validation loss 0.6667 at epoch 3"],
        ["x the engine is gone: killed", "3 improvements"],
    ),
    "an empty journal": (
        [],
        ["✗ killed"],
        ["The run ended before its first epoch was complete"],
        ["nothing measured yet"],
        ["x the engine is gone: killed"],
    ),
}


@pytest.mark.parametrize("name", FINISHED)
async def test_a_run_that_has_ended_is_told_on_every_pane(name: str, runs: Path) -> None:
    records, status, curve, stopping, log = FINISHED[name]
    run = finished_run(runs, *records)
    async with open_app(runs, run) as screen:
        await screen.until_status(*status)
        await screen.until_log(*log)
        assert all(text in screen.curve for text in curve)
        assert all(text in screen.stopping_line for text in stopping)
        assert ("train " in screen.curve_title) is ("┤" in screen.curve)

        screen.press("q")
        await screen.until_exit()
    farewell = screen.app.farewell()
    assert farewell[0] == f"run {run.path}"
    assert status[0].lstrip("■✗ ") in "\n".join(farewell)


@pytest.mark.usefixtures("looks_often")
async def test_a_killed_engine_is_told_after_what_it_did(runs: Path) -> None:
    run = finished_run(runs, started_record(), *epochs(3))
    async with open_app(runs, run) as screen:
        await screen.until_log("the engine is gone", "3 improvements")

        assert screen.log.index("the engine is gone") > screen.log.index("3 improvements")


# --- a live run


async def test_records_appear_as_they_are_written(runs: Path) -> None:
    run = live_run(runs)
    async with open_app(runs, run) as screen:
        await screen.until_status("○ starting")
        assert "loading torch" in screen.curve
        write_journal(run, started_record())
        await screen.until_status("● live", "epoch 0/200")
        write_journal(run, epoch_record(1))
        await screen.until_status("epoch 1/200")
        assert "train 1.000" in screen.curve_title
        assert "best 2.000 at 1" in screen.curve_title

        write_journal(run, epoch_record(2), Warned(message="the loss is odd"))
        await screen.until_status("epoch 2/200", "1 epochs/s", "≤ 3:1")
        await screen.until_log("epochs 1 to 2: 2 improvements, new best 1.000", "! the loss is odd")
        assert "patience 10 of 10   best 1.000 at 2,  0 since, to beat 1" in screen.stopping_line
        assert "stops at epoch 12 if nothing improves, in 0:" in screen.stopping_line
        assert "at most until epoch 200, in 3:1" in screen.stopping_line

        write_journal(run, StopRequested(when="epoch"))
        await screen.until_status("◐ stopping")
        write_journal(run, finished_record("stopped"))
        await screen.until_status("■ stopped on request")
        await screen.until_log("asked to stop after this epoch", "stopped on request after epoch")


async def test_a_torn_line_appears_once_it_is_whole(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    class CountedReader(JournalReader):
        def chunks(self, end: int | None = None) -> Iterator[list[Event]]:
            nonlocal looks
            yield from super().chunks(end)
            looks += 1

    monkeypatch.setattr(follower_module, "JournalReader", CountedReader)
    line = encode(epoch_record(2)) + b"\n"
    run = live_run(runs, started_record(), epoch_record(1))
    async with open_app(runs, run) as screen:
        await screen.until_status("epoch 1/200")
        with run.journal_path.open("ab", buffering=0) as journal:
            journal.write(line[:100])
            torn_at = looks
            await screen.until(lambda: looks > torn_at + 1, "a look at the torn line")
            assert "epoch 1/200" in screen.status_line
            journal.write(line[100:])
        await screen.until_status("epoch 2/200")


async def test_another_journal_in_the_place_of_a_runs_own_is_shown_and_that_is_said(
    runs: Path,
) -> None:
    run = live_run(runs, started_record(epochs=7), epoch_record(1), epoch_record(2))
    async with open_app(runs, run) as screen:
        await screen.until_status("epoch 2/7")
        run.journal_path.unlink()
        write_journal(run, epoch_record(1))
        await screen.until_log("the journal was cut short or replaced")
        await screen.until(lambda: "epoch 2/7" not in screen.status_line, "the other journal")


async def test_while_a_long_journal_is_read_the_status_line_says_how_much_of_it(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()

    class SlowReader(JournalReader):
        def chunks(self, end: int | None = None) -> Iterator[list[Event]]:
            for events in super().chunks(end):
                yield events
                may_go_on.wait(LIMIT_SECONDS)

    monkeypatch.setattr(follower_module, "JournalReader", partial(SlowReader, chunk_bytes=4096))
    monkeypatch.setattr(journal_parts, "SECONDS_BETWEEN_PARTS", 0.0)
    run = finished_run(runs, started_record(), *(epoch_record(n) for n in range(1, 101)))
    async with open_app(runs, run) as screen:
        await screen.until_status("reading the journal: ", "%")
        may_go_on.set()
        await screen.until_status("epoch 100/200")
        await screen.until(lambda: "reading" not in screen.status_line, "the end of the reading")


async def test_a_resumed_run_takes_its_void_epochs_back(runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(5))
    async with open_app(runs, run) as screen:
        await screen.until_status("epoch 5/200")
        write_journal(run, RunResumed(epoch=2))
        await screen.until_log("resumed after epoch 2")
        await screen.until_status("epoch 2/200")
        assert "best 1.000 at 2" in screen.stopping_line
        write_journal(run, epoch_record(3, train_loss=7.0))
        await screen.until_status("epoch 3/200")
        await screen.until(lambda: "train 7.000" in screen.curve_title, "the curve")
        assert "best 0.6667 at 3" in screen.stopping_line


async def test_thousands_of_epochs_at_once_leave_the_app_at_hand_and_the_log_short(
    runs: Path,
) -> None:
    run = live_run(runs, started_record(epochs=10_000))
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        append_at_once(run, epochs(5_000))
        await screen.until_status("epoch 5,000/10,000")
        screen.press("l")
        log = screen.main.query_one(EventLog)
        await screen.until(lambda: screen.app.focused is log, "the log")

        assert "to 5000: " in screen.log
        assert len(log.lines) < 30


async def test_the_rules_of_prechelt_are_told_with_a_bar_that_empties(runs: Path) -> None:
    run = live_run(runs, started_record())
    prechelt = {"best_loss": 0.5, "best_epoch": 1, "patience": 0, "rule": "gl", "limit": 2.0}
    async with open_app(runs, run) as screen:
        for epoch, (measure, bar) in enumerate(
            [(None, "█" * 10), (0.0, "█" * 10), (1.4, "█" * 3 + "░" * 7), (9.9, "░" * 10)], start=1
        ):
            rule = stopping_state(**prechelt, measure=measure)
            write_journal(run, epoch_record(epoch, stopping=rule))
            await screen.until_status(f"epoch {epoch}/200")
            assert screen.stopping_line.startswith(bar)
            assert "best 0.5000 at 1, 0 since" in screen.stopping_line
        assert "! GL 9.9 of 2" in screen.stopping_line
        assert "stops once GL is above 2" in screen.stopping_line


async def test_a_run_without_a_rule_has_no_bar(runs: Path) -> None:
    run = live_run(runs, started_record(), epoch_record(1, stopping=improved(1, 2.0, patience=0)))
    async with open_app(runs, run) as screen:
        await screen.until_status("epoch 1/200")
        head, early, *_ = screen.stopping_line.splitlines()
        assert head == "patience off   best 2.000 at 1, 0 since, to beat 2.000"
        assert early == "  early stopping is off"


async def test_changed_settings_are_told_and_counted_with(runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(2))
    async with open_app(runs, run) as screen:
        await screen.until_status("epoch 2/200", "≤ 3:1")
        for setting, before, after in (("train.epochs", 200, 12), ("optim.lr", 0.01, 0.002)):
            change = SettingChanged(setting=setting, before=before, after=after, by="request")
            write_journal(run, change)
        await screen.until_status("epoch 2/12", "left")
        await screen.until_log("optim.lr is 0.002 now, was 0.01 (on request)")


# --- pausing, checkpoints and going on


async def test_p_pauses_and_goes_on_and_the_screen_shows_when_the_engine_has(runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(2))
    async with open_app(runs, run) as screen:
        await screen.until_status("● live", "epochs/s", "left")
        screen.press("p")
        assert await next_command(screen, run) == Pause()
        assert "live" in screen.status_line

        write_journal(run, Paused(epoch=2, step=24))
        await screen.until_status("‖ paused", "epoch 2/200")
        await screen.until_log("paused after epoch 2, step 24")
        assert "epochs/s" not in screen.status_line
        assert "left" not in screen.status_line
        assert "improves" not in screen.status_line
        screen.press("f6")
        assert await next_command(screen, run) == Unpause()

        write_journal(run, Resumed(epoch=2, step=24))
        await screen.until_status("● live")
        await screen.until_log("goes on after epoch 2, step 24")
        screen.press("p")
        assert await next_command(screen, run) == Pause()


async def test_a_paused_run_can_be_stopped_and_is_left_as_one(runs: Path) -> None:
    run = live_run(runs, started_record(), Paused(epoch=0, step=3))
    async with open_app(runs, run) as screen:
        await screen.until_status("‖ paused")
        screen.press("x")
        assert await next_command(screen, run) == Stop("epoch")
        screen.press("q", "l")
        await screen.until_exit()
    assert screen.app.farewell() == [
        f"{run.name} stays paused.",
        f"  epochtop watch {run.name}",
        f"  epochtop resume {run.name}",
    ]


async def test_an_engine_that_is_killed_while_paused_is_told_as_killed(runs: Path) -> None:
    run = finished_run(runs, started_record(), epoch_record(1), Paused(epoch=1, step=13))
    async with open_app(runs, run) as screen:
        await screen.until_status("✗ killed", "epoch 1/200")
        screen.press("p")
        await screen.until_log("no run is live")
        assert list(take_commands(run)) == []


async def test_c_asks_for_checkpoints_and_the_log_tells_of_them_but_not_of_all_others(
    runs: Path,
) -> None:
    run = live_run(runs, started_record(), saved(epoch=1, by="time"))
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("c")
        assert await next_command(screen, run) == SaveCheckpoint()
        write_journal(run, saved(epoch=2, by="request"))
        await screen.until_log("saved last.pt (epoch 2, 2 KiB)")
        assert "epoch 1, 2 KiB" not in screen.log


@pytest.mark.parametrize("ending", [[], [finished_record("stopped")]], ids=["killed", "stopped"])
async def test_r_goes_on_with_a_run_that_has_ended(
    ending: list[Event], runs: Path, engines: FakeEngines
) -> None:
    run = finished_run(runs, started_record(), *epochs(5), *ending)
    async with open_app(runs, run) as screen:
        await screen.until_status("stopped" if ending else "killed", "epoch 5/200")
        screen.press("r", "r", "s")  # of which only the first finds a run that has ended
        await screen.until_status("○ starting")
        await screen.until_log("the engine loads", "! the run is live", "! a run is live; stop it")
        assert engines.runs == [run]
        # no time passes and none is left before the engine trains
        assert not any(word in screen.status_line for word in ("so far", "left", "epochs/s"))
        assert ("stopped on request after" in screen.stopping_line) is bool(ending)

        engines.go_on(run, epoch=2)
        await screen.until_status("● live", "epoch 2/200")
        await screen.until_log("resumed after epoch 2: restored last.pt")
        assert "best 1.000 at 2" in screen.stopping_line
        write_journal(run, epoch_record(3), finished_record())
        await screen.until_status("■ completed", "epoch 3/200")
        assert engines.runs == [run]


@pytest.mark.parametrize(
    ("message", "code", "told"),
    [
        ("run x: found 5 training rows", 2, ["x run x: found 5 training rows"]),
        (
            "run x has nothing left to train: all 5 epochs are done",
            0,
            ["! run x has nothing left to train", "--set train.epochs=N"],
        ),
    ],
)
async def test_an_engine_that_does_not_go_on_says_why_and_the_run_is_as_it_was(
    message: str, code: int, told: list[str], runs: Path, engines: FakeEngines
) -> None:
    run = finished_run(runs, started_record(), *epochs(5), finished_record())
    engines.refuses = message, code
    async with open_app(runs, run) as screen:
        await screen.until_status("completed")
        screen.press("r")
        await screen.until_log(*told)
        await screen.until_status("■ completed")
        assert "some warning" not in screen.log
        screen.press("s")
        await screen.until(lambda: len(engines.runs) == 2, "a new run")


async def test_without_a_run_there_is_nothing_to_go_on_with(
    runs: Path, engines: FakeEngines
) -> None:
    async with open_app(runs) as screen:
        screen.press("r", "p", "c")
        await screen.until_log("there is no run yet to go on with", "no run is live")
        await screen.until(lambda: screen.log.count("no run is live") == 2, "both answers")
        assert engines.runs == []


# --- stopping and leaving


async def test_x_and_the_button_stop_after_the_epoch_and_capital_x_at_once(runs: Path) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("x")
        assert await next_command(screen, run) == Stop("epoch")
        screen.press("X")
        assert await next_command(screen, run) == Stop("now")
        screen.press("f9")
        assert await next_command(screen, run) == Stop("now")
        await screen.pilot.click("#stop")
        assert await next_command(screen, run) == Stop("epoch")
        assert screen.app.return_code is None


async def test_a_command_that_cannot_be_left_is_said(runs: Path) -> None:
    run = live_run(runs, started_record())
    run.control_path.rmdir()
    run.control_path.write_text("in the way")
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("x")
        await screen.until_log("x the engine could not be asked")


async def test_leaving_a_live_run_is_asked_for_and_can_be_thought_better_of(runs: Path) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        for key in ("escape", "y"):
            screen.press("q")
            await screen.until(lambda: isinstance(screen.app.screen, QuitDialog), "the question")
            screen.press(key)
            await screen.until(lambda: screen.app.screen is screen.main, f"none after {key}")
        screen.press("q", "q", "x", "s", "f5", "f8", "f10")  # nothing of which acts below
        await screen.until(lambda: "Leave it running (l)" in screen.picture, "the question")
        screen.press("down", "down", "enter")
        await screen.until(lambda: screen.app.screen is screen.main, "none after the third button")
        assert screen.app.return_code is None
        assert list(take_commands(run)) == []

        screen.press("q", "l")
        await screen.until_exit()
        assert screen.app.farewell() == [
            f"{run.name} goes on training.",
            f"  epochtop watch {run.name}",
            f"  epochtop stop {run.name}",
        ]
    assert list(take_commands(run)) == []


async def test_enter_in_the_question_leaves_the_run_alone(runs: Path) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("ctrl+q")
        await screen.until(lambda: isinstance(screen.app.screen, QuitDialog), "the question")
        screen.press("enter")
        await screen.until_exit()
    assert list(take_commands(run)) == []


@pytest.mark.usefixtures("looks_often")
async def test_stopping_and_leaving_waits_for_the_end_and_tells_of_it(runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(5))
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("q", "t")
        assert await next_command(screen, run) == Stop("now")
        write_journal(run, StopRequested(when="now"))
        await screen.until_status("stopping")
        assert screen.app.return_code is None

        write_journal(run, finished_record("stopped", message="asked for by the screen"))
        await screen.until_exit()
        # the status must not run ahead of the record that tells how it ended
        assert "stopped on request after epoch 5: asked for by the screen" in screen.app.farewell()


async def test_a_run_that_ends_while_the_question_is_open_needs_no_stopping(runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(5))
    async with open_app(runs, run) as screen:
        await screen.until_status("live")
        screen.press("q")
        await screen.until(lambda: isinstance(screen.app.screen, QuitDialog), "the question")
        write_journal(run, finished_record())
        await screen.until_status("completed")
        screen.press("t")
        await screen.until_exit()
    assert list(take_commands(run)) == []


async def test_an_engine_that_is_killed_while_it_is_waited_for_ends_the_wait(runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(2))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as engine:
        write_engine_process(run, engine_process(engine.pid))
        async with open_app(runs, run) as screen:
            await screen.until_status("live", "epoch 2/200")
            screen.press("q", "t")
            assert await next_command(screen, run) == Stop("now")
            engine.kill()
            engine.wait()
            await screen.until_exit()
            assert "killed at epoch 2 of 200" in screen.app.farewell()


# --- help


async def test_the_help_lists_every_key_and_lets_none_act_below_it(
    runs: Path, engines: FakeEngines
) -> None:
    run = live_run(runs, started_record())
    async with open_app(runs, run, size=(78, 120)) as screen:
        await screen.until_status("live")
        screen.press("question_mark")
        await screen.until(lambda: "Help (escape" in screen.picture, "the help")
        words = " ".join(screen.picture.replace("│", " ").split())
        all_keys = ((spell(key), key.help) for _, group in KEY_GROUPS for key in group)
        for keys, text in [*all_keys, *CURVE_MOUSE, *KEYS_OF_WIDGETS]:
            assert f"{keys} {text}" in words

        before = screen.log
        screen.press("x", "X", "s", "p", "c", "r", "e", "l", "v")
        screen.press("f5", "f6", "f7", "f8", "f9", "f10", "f12", "ctrl+c")
        screen.press("escape")
        await screen.until(lambda: screen.app.screen is screen.main, "no help")
        assert list(take_commands(run)) == []
        assert engines.runs == []
        assert screen.log == before

        for closing in ("q", "question_mark", "f1"):
            screen.press("f1")
            await screen.until(lambda: isinstance(screen.app.screen, HelpScreen), "the help")
            screen.press(closing)
            await screen.until(lambda: screen.app.screen is screen.main, f"no help after {closing}")
        assert screen.app.return_code is None


# --- user text


async def test_messages_of_a_run_are_text_and_never_markup(runs: Path) -> None:
    created = create_run(runs, resolve_settings())
    run = Run(created.path.rename(runs / "20261123-140501-[red]evil[-] \x1b[31m"))
    settings = {
        "data": {"source": f"[red]evil[/red].csv {HOSTILE}"},
        "model": {"kind": "mlp"},
        "train": {"epochs": 200},
    }
    write_journal(
        run,
        started_record(settings=settings, device="[blue]cpu", classes=[]),
        Warned(message=HOSTILE),
        epoch_record(1),
        finished_record("failed", message=HOSTILE),
    )
    async with open_app(runs, run) as screen:
        await screen.until_log(
            f"[red]evil[/red].csv {SPELLED_OUT}: 1,437", f"! {SPELLED_OUT}", f": {SPELLED_OUT}"
        )
        await screen.until_status("failed", r"[red]evil[-] \x1b[31m", "[blue]cpu")

        assert "\x1b" not in screen.picture
        assert "\x1b" not in screen.status_line


async def test_a_path_is_text_and_never_markup(runs: Path, tmp_path: Path) -> None:
    name = "[red]evil.csv"
    (tmp_path / name).write_text("a,b\n1,2\n")
    async with open_app(runs, size=(200, 50)) as screen:
        await screen.type_into("data.source", str(tmp_path / name))
        problem = f"allowed: the name of a column of {name}"
        await screen.until_problem("data.target", problem)
        screen.press("f5")
        await screen.until_log(f"not started: data.target: {problem}")


async def test_a_device_of_a_foreign_journal_brings_no_escape_to_the_terminal(runs: Path) -> None:
    run = finished_run(runs, started_record(device="\x1b[31mcpu"), finished_record())
    async with open_app(runs, run) as screen:
        await screen.until_status("completed", "cpu")

        assert "\x1b" not in screen.status_line


async def test_a_path_in_a_runs_settings_brings_no_escape_to_the_terminal(
    runs: Path, tmp_path: Path
) -> None:
    table = tmp_path / "\x1b[31mevil.csv"
    table.write_text("a,b\n1,2\n")
    run = finished_run(runs, started_record(), finished_record())
    settings = resolve_settings(overrides=["data.source=placeholder"])
    toml = settings_to_toml(settings).replace("placeholder", str(table).replace("\x1b", "\\u001b"))
    run.settings_path.write_text(toml)
    async with open_app(runs, run, size=(200, 50)) as screen:
        await screen.until_status("completed")
        await screen.until(lambda: "control characters" in screen.picture, "what is wrong")

        assert "\x1b" not in screen.picture


# --- layouts and keys


@pytest.mark.parametrize("size", [WIDE, MEDIUM], ids=str)
async def test_a_terminal_of_80_columns_shows_all_panes(size: Size, runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(5))
    async with open_app(runs, run, size=size) as screen:
        await screen.until_status("live", "epoch 5/200")
        assert screen.panes == ALL_PANES
        assert "┤" in screen.picture
        assert "Events" in screen.picture
        screen.press("e", "l", "v")
        await screen.until_log("improvements")
        assert screen.panes == ALL_PANES


async def test_a_narrow_terminal_shows_a_pane_at_a_time_until_it_is_wide_again(runs: Path) -> None:
    run = live_run(runs, started_record(), *epochs(5))
    async with open_app(runs, run, size=NARROW) as screen:
        await screen.until_status("live")
        await screen.until_panes(CURVE, "the start")
        for key, panes in (("l", LOG), ("v", CURVE), ("e", FORM), ("f4", LOG), ("escape", CURVE)):
            screen.press(key)
            await screen.until_panes(panes, key)
        write_journal(run, finished_record())
        await screen.until_status("completed")
        screen.press("e")
        await screen.until_panes(FORM, "e")
        await screen.until(lambda: screen.is_typing_into("data.source"), "the first field")

        await screen.pilot.resize_terminal(*WIDE)
        await screen.until_panes(ALL_PANES, "a resize")
        await screen.until_log("completed after epoch 5")


async def test_keys_typed_ahead_arrive_in_order(runs: Path, engines: FakeEngines) -> None:
    async with open_app(runs, size=MEDIUM) as screen:
        screen.press("l", "v", "e", *["backspace"] * 8, *"qsxlxX", *["backspace"] * 5)
        screen.press("backspace", *"iris", "tab", "tab", "enter", "tab", "tab", *"0.25", "f5")
        await screen.until_status("live")

        (run,) = engines.runs
        assert run.label == "iris-mlp"
        assert screen.text("data.val_fraction") == "0.25"
        assert list_runs(runs) == [run]
