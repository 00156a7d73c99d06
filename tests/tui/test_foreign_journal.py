"""Journals of other people's loops, which hold little more than two losses an epoch."""

import json
import os
from pathlib import Path

import pytest

from epochtop.core.events import EpochCompleted, RunResumed
from epochtop.core.run.directory import Run
from epochtop.core.run.journal import JournalReader
from epochtop.core.run.status import run_status
from epochtop.tui.commands.printing import LinePrinter, follow_lines
from epochtop.tui.comparing.compared import at_best
from epochtop.tui.following.gathering import Gathering
from epochtop.tui.following.reading import read_state
from epochtop.tui.following.state import RunState, reduce
from epochtop.tui.following.verdicts import FollowedVerdict
from epochtop.tui.widgets.run_buttons import RunButtons

from .app_driver import WIDE, open_app
from .conftest import InThisProcess

LOSSES = [2.0, 1.0, 0.5, 0.75, 0.8]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Nothing but epochs and losses, written long ago."""
    run = Run(tmp_path / "runs" / "foreign")
    run.path.mkdir(parents=True)
    fields = {"event": "epoch_completed", "train_loss": 0.25}
    lines = [
        json.dumps(fields | {"epoch": epoch, "time": 1_000.0 + epoch, "val_loss": loss})
        for epoch, loss in enumerate(LOSSES, 1)
    ]
    run.journal_path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(run.journal_path, (1_010.0, 1_010.0))
    return run


def test_show_finds_the_best_epoch_and_makes_nothing_up(
    run: Run, in_this_process: InThisProcess
) -> None:
    shown = in_this_process("show", str(run.path))
    assert shown.returncode == 0, shown.stderr
    assert "best validation loss 0.5000 at epoch 3" in shown.stdout
    assert "lost at epoch 5\n" in shown.stdout
    assert "None" not in shown.stdout
    assert "patience" not in shown.stdout


def test_as_json_what_is_not_known_is_null(run: Run, in_this_process: InThisProcess) -> None:
    found = json.loads(in_this_process("show", str(run.path), "--json").stdout)
    assert (found["epoch"], found["best_epoch"], found["best_loss"]) == (5, 3, 0.5)
    unknown = ("lr", "seconds", "penalty", "train_loss_eval", "stopping", "step")
    assert {found["last_epoch"][name] for name in unknown} == {None}


def test_the_lines_of_its_epochs_tell_losses_alone(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    follow_lines(run, LinePrinter(run))
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].split() == ["epoch", "3", "train", "0.2500", "val", "0.5000"]


def test_it_is_live_as_long_as_it_grows(run: Run) -> None:
    assert run_status(run).state == "lost"
    os.utime(run.journal_path)
    assert run_status(run).state == "live"


def test_losses_that_python_writes_as_nan_are_epochs_without_a_finite_loss(
    run: Run, in_this_process: InThisProcess
) -> None:
    """A regression: the lines are no JSON, and their epochs were left out without a word."""
    fields = {"event": "epoch_completed", "time": 1_006.0, "train_loss": float("inf")}
    with run.journal_path.open("a") as file:
        file.write(json.dumps(fields | {"epoch": 6, "val_loss": float("nan")}) + "\n")
    state = read_state(run)
    assert (state.epoch, len(state.history)) == (6, 6)
    found = json.loads(in_this_process("whatif", str(run.path), "--patience", "3", "--json").stdout)
    assert (found["rules"][0]["stop_epoch"], found["numbered_anew"]) == (6, False)


@pytest.mark.parametrize("fewest_in_a_block", [2, 1_000])
def test_a_loop_that_was_started_again_shows_its_last_epochs(
    run: Run, fewest_in_a_block: int
) -> None:
    """A regression: a best loss was looked up by its epoch, and found in the epoch before."""
    again = [EpochCompleted(epoch=epoch, train_loss=0.1, val_loss=0.4) for epoch in (3, 4)]
    gathering = Gathering(fewest_in_a_block=fewest_in_a_block)
    gathering.add([*JournalReader(run.journal_path).read(), *again])
    state = reduce(RunState(), gathering.take())
    assert state.history.epochs.tolist() == [1, 2, 3, 4]
    assert state.history.column("val_loss").tolist() == [2.0, 1.0, 0.4, 0.4]
    best = at_best(state)
    assert best is not None
    assert (best.epoch, best.val_loss, best.train_loss) == (3, 0.4, 0.1)


def test_a_loop_that_counts_from_0_can_start_again() -> None:
    twice = [EpochCompleted(epoch=epoch, train_loss=0.1, val_loss=0.4) for epoch in (0, 1, 0)]
    state = reduce(RunState(), twice)
    assert (state.epoch, state.history.epochs.tolist()) == (0, [0])


def test_the_time_to_its_best_is_not_known_where_nobody_wrote_when_it_began(run: Run) -> None:
    """A regression: it was counted from the end of the first epoch."""
    best = at_best(read_state(run))
    assert best is not None
    assert best.seconds is None


@pytest.mark.parametrize("command", [["show"], ["whatif"], ["whatif", "--json"]])
@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"event":"epoch_completed","epoch":1,"train_loss":1.0}', "required field `val_loss`"),
        (b'{"event":"epoch_completed","epoch":1,"train_loss":"1","val_loss":1}', "got `str`"),
        (b"epoch 1: 0.5", "JSON is malformed"),
    ],
)
def test_a_line_that_should_have_been_an_epoch_is_told_of(
    line: bytes, why: str, command: list[str], run: Run, in_this_process: InThisProcess
) -> None:
    """A regression: no epoch was recorded yet, whatever the loop wrote."""
    run.journal_path.write_bytes(b'{"event":"of a later version"}\n' + line + b"\n")
    shown = in_this_process(*command, str(run.path))
    assert shown.returncode == 0
    (told,) = shown.stderr.splitlines()
    assert f"{run.journal_path}, line 2: not read: " in told
    assert why in told


def test_a_journal_that_has_all_its_epochs_is_told_of_nothing(
    run: Run, in_this_process: InThisProcess
) -> None:
    with run.journal_path.open("a") as file:
        file.write("a note\n")
    assert in_this_process("show", str(run.path)).stderr == ""


async def test_the_screen_shows_the_curve_and_no_made_up_rule(run: Run) -> None:
    os.utime(run.journal_path)
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await screen.until(lambda: "best 0.5000 at 3" in screen.stopping_line, "the best")
        assert "no early stopping known" in screen.stopping_line
        assert "epoch 5" in screen.status_line
        assert "has no settings.toml" in screen.log
        assert "None" not in screen.picture
        screen.press("t", "right", "b")  # by step, of which none is known
        await screen.until(lambda: "epoch 3" in screen.curve, "the cursor")
        assert "step 0" not in screen.curve


async def test_while_it_is_live_nothing_is_offered_that_nobody_would_do(run: Run) -> None:
    os.utime(run.journal_path)
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await screen.until_status("live", "epoch 5")
        await screen.until(lambda: screen.is_enabled("start"), "a form for other runs")
        assert not screen.is_enabled("stop")
        assert "Settings of the live run" not in screen.picture
        assert "x Stop" not in screen.picture
        assert not any(each.is_enabled for each in screen.main.query_one(RunButtons).buttons)
        screen.press("x", "p", "c", "r")
        refused = "a program of its own trains this run and takes no requests"
        await screen.until(lambda: screen.log.count(refused) == 4, "the reason, four times")
        assert not run.control_path.exists()
        screen.press("q")  # which asks nothing: there is nobody who could be told to stop
        await screen.until_exit()
        farewell = screen.app.farewell()
    assert farewell == ["foreign goes on training.", "  epochtop watch foreign"]


def test_a_command_for_it_says_at_once_that_it_takes_none(
    run: Run, in_this_process: InThisProcess
) -> None:
    os.utime(run.journal_path)
    stopped = in_this_process("stop", str(run.path))
    assert stopped.returncode == 2
    assert "a program of its own trains it and takes no requests" in stopped.stderr


async def test_once_it_is_silent_it_says_so_and_offers_no_resumption(run: Run) -> None:
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await screen.until_log("the journal has been silent for minutes")
        assert "r Resume" not in screen.picture
        screen.press("r")
        await screen.until_log("there is nothing to go on from")


async def test_it_has_a_verdict_though_nobody_wrote_one(
    tmp_path: Path, in_this_process: InThisProcess
) -> None:
    run = Run(tmp_path / "runs" / "foreign")
    run.path.mkdir(parents=True)
    lines = [
        json.dumps(
            {
                "event": "epoch_completed",
                "epoch": epoch,
                "train_loss": 1 / epoch,
                "val_loss": 0.3 + 0.7 / min(epoch, 20) + 0.02 * max(0, epoch - 20),
            }
        )
        for epoch in range(1, 61)
    ]
    run.journal_path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(run.journal_path, (1_010.0, 1_010.0))
    found = json.loads(in_this_process("show", str(run.path), "--json").stdout)
    assert found["verdict"]["verdict"] == "overfitting"
    assert "verdict: overfitting since" in in_this_process("show", str(run.path)).stdout
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await screen.until(lambda: "overfitting since" in screen.curve, "the verdict")
        screen.press("x")  # which nobody answers: a line of the log that is no record
        await screen.until_log("no run is live")
        assert "overfitting since" in screen.curve
        assert "overfitting since" in screen.stopping_line


def test_the_verdict_of_epochs_that_are_void_goes_with_them() -> None:
    def epoch(number: int, val_loss: float) -> EpochCompleted:
        return EpochCompleted(epoch=number, train_loss=1 / number, val_loss=val_loss)

    rising = [epoch(n, 0.3 + 0.7 / min(n, 20) + 0.02 * max(0, n - 20)) for n in range(1, 61)]
    followed, state = FollowedVerdict(), reduce(RunState(), rising)
    first = followed.of(state)
    falling = [epoch(n, 0.3 + 0.7 / n) for n in range(21, 61)]
    second = followed.of(reduce(state, [RunResumed(epoch=20), *falling]))
    assert first is not None
    assert second is not None
    assert first.verdict == "overfitting"
    assert second.verdict != "overfitting"


@pytest.mark.parametrize("lines_kept", [0, 2])
async def test_the_screen_tells_of_a_line_that_should_have_been_an_epoch(
    run: Run, lines_kept: int
) -> None:
    kept = run.journal_path.read_bytes().splitlines(keepends=True)
    bad = b'{"event":"epoch_completed","epoch":1,"train_loss":1.0}\n'
    after = kept[lines_kept + 1 :] if lines_kept else []
    run.journal_path.write_bytes(b"".join([*kept[:lines_kept], bad, *after]))
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        told = f"line {lines_kept + 1} of the journal was not read: "
        await screen.until(lambda: told in screen.log, "the line")
        assert "required field `val_loss`" in screen.log


async def test_the_screen_tells_of_nothing_where_no_epoch_is_missing(run: Run) -> None:
    with run.journal_path.open("a") as file:
        file.write("a note\n")
    async with open_app(run.path.parent, run, size=WIDE) as screen:
        await screen.until(lambda: "best 0.5000 at 3" in screen.stopping_line, "the best")
        assert "not read" not in screen.log
