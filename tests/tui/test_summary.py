import math
from pathlib import Path

from epochtop.core import Run
from epochtop.core.events import Event, Paused, RunResumed, SettingChanged
from epochtop.core.run.status import RunStatus
from epochtop.tui.following.state import RunState, reduce
from epochtop.tui.words.summary import farewell_lines, summary_lines
from tests.records import (
    epoch_record,
    finished_record,
    started_record,
    stopping_state,
    task_record,
)


def test_a_summary_tells_start_end_best_last_and_time() -> None:
    state = reduce(
        RunState(),
        [
            started_record(time=100.0),
            epoch_record(
                5, time=160.0, train_loss=0.25, val_loss=None, metrics={"val_accuracy": 0.9}
            ),
            finished_record(time=161.0),
        ],
    )
    assert summary_lines(state, RunStatus("finished", "completed"))[1:] == [
        "completed after epoch 5: all 5 epochs are done",
        "best validation loss 0.4000 at epoch 5 (a constant guess: 2.300)",
        "last epoch 5: train loss 0.2500, validation loss not finite, val_accuracy 0.9000",
        "1:01 of training",
    ]


def test_a_summary_of_a_killed_run_says_how_far_it_came() -> None:
    state = reduce(RunState(), [started_record(epochs=7), epoch_record(3)])
    assert summary_lines(state, RunStatus("killed"))[1] == "killed at epoch 3 of 7"


def test_a_summary_of_a_paused_run_says_so_and_counts_to_the_changed_number_of_epochs() -> None:
    changed = SettingChanged(setting="train.epochs", before=7, after=9, by="request")
    events: list[Event] = [
        started_record(epochs=7),
        epoch_record(3),
        changed,
        Paused(epoch=3, step=30),
    ]
    state = reduce(RunState(), events)
    assert summary_lines(state, RunStatus("live"))[1] == "paused at epoch 3 of 9"


def test_a_summary_of_a_run_that_has_not_begun_is_its_state() -> None:
    assert summary_lines(RunState(), RunStatus("starting")) == ["starting"]


def test_a_summary_of_losses_that_were_never_finite_names_no_best() -> None:
    record = epoch_record(1, val_loss=None, train_loss=None, stopping=stopping_state())
    lines = summary_lines(reduce(RunState(), [started_record(), record]), RunStatus("killed"))
    assert not any("best" in line for line in lines)
    assert not any(str(math.nan) in line for line in lines)


def test_a_summary_of_a_task_without_a_baseline_compares_with_none() -> None:
    state = reduce(RunState(), [task_record(baseline_loss=None), epoch_record(1)])
    assert "best validation loss 2.000 at epoch 1" in summary_lines(state, RunStatus("live"))


# What the screen leaves behind.


def test_leaving_a_live_run_says_how_to_come_back_and_how_to_stop_it(tmp_path: Path) -> None:
    run, state = Run(tmp_path / "this"), reduce(RunState(), [started_record(), epoch_record(1)])
    assert farewell_lines(run, state, RunStatus("live")) == [
        "this goes on training.",
        "  epochtop watch this",
        "  epochtop stop this",
    ]


def test_leaving_a_paused_run_says_how_it_goes_on(tmp_path: Path) -> None:
    paused = reduce(RunState(), [started_record(), Paused(epoch=0, step=3)])
    assert farewell_lines(Run(tmp_path / "this"), paused, RunStatus("live")) == [
        "this stays paused.",
        "  epochtop watch this",
        "  epochtop resume this",
    ]


def test_leaving_a_run_that_has_ended_sums_it_up(tmp_path: Path) -> None:
    state = reduce(RunState(), [started_record(), RunResumed(epoch=0, pid=7), epoch_record(1)])
    lines = farewell_lines(Run(tmp_path / "this"), state, RunStatus("killed"))
    assert lines[0] == f"run {tmp_path / 'this'}"
    assert "killed at epoch 1 of 200" in lines
