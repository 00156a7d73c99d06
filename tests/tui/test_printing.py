"""A run as lines of text."""

from pathlib import Path

import pytest

from epochtop.core import Run
from epochtop.core.events import (
    CheckpointSaved,
    Event,
    RunResumed,
    SavedBy,
    SettingChanged,
    Stopping,
    Warned,
)
from epochtop.tui.commands.printing import LinePrinter, follow_lines
from epochtop.tui.following.state import RunState, reduce

from ..records import (
    epoch_record,
    finished_record,
    improved,
    started_record,
    stopping_state,
)
from .app_driver import finished_run


def printed(
    capsys: pytest.CaptureFixture[str], *events: Event, before: tuple[Event, ...] = ()
) -> list[str]:
    """The lines that events are told in, after the run's name."""
    printer = LinePrinter(Run(Path("/runs/a")), reduce(RunState(), before))
    for event in events:
        printer(event)
    run, *lines = capsys.readouterr().out.splitlines()
    assert run == "run /runs/a"
    return lines


def rule(**fields: object) -> Stopping:
    best = {"best_loss": 0.5, "best_epoch": 1, "epochs_since_best": 3}
    return stopping_state(**(best | fields))


@pytest.mark.parametrize(
    ("stopping", "mark"),
    [
        (improved(4, 0.4), "new best 0.4000"),
        (rule(), "3 since best, patience 7 of 10"),
        (rule(patience=0), "3 since best"),
        (rule(patience=0, rule="gl", measure=1.25, limit=2.0), "3 since best, GL 1.25 of 2"),
    ],
)
def test_an_epoch_ends_with_what_early_stopping_makes_of_it(
    stopping: Stopping, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, line = printed(capsys, started_record(), epoch_record(4, stopping=stopping))
    assert line == f"epoch   4/200  train 0.2500      val 0.5000      {mark}"


def test_a_run_that_goes_on_is_told_with_what_is_known_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(
        capsys,
        RunResumed(epoch=1, message="restored last.pt", pid=7),
        Warned(message="last.pt is torn"),
        SettingChanged(setting="train.epochs", before=7, after=9, by="resume"),
        epoch_record(2),
        before=(started_record(epochs=7), epoch_record(1), epoch_record(2)),
    )
    assert lines == [
        "resumed after epoch 1: restored last.pt",
        "last.pt is torn",
        "train.epochs is 9 now, was 7 (on resume)",
        "epoch 2/9  train 0.5000      val 1.000       new best 1.000, was 2.000 at epoch 1",
    ]


@pytest.mark.parametrize(
    ("by", "lines"), [("time", []), ("request", ["saved last.pt (epoch 3, 2 KiB)"]), ("end", [])]
)
def test_only_a_checkpoint_that_was_asked_for_is_told_of(
    by: SavedBy, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    saved = CheckpointSaved(kind="last", epoch=3, path="last.pt", bytes=2048, seconds=0.1, by=by)
    assert printed(capsys, saved) == lines


def test_a_run_that_ended_and_went_on_is_summed_up_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished_run(
        tmp_path,
        started_record(),
        epoch_record(1),
        finished_record("stopped", message="for the first time"),
        RunResumed(epoch=1, pid=7),
        epoch_record(2),
        finished_record("stopped", message="for good"),
    )
    follow_lines(run, LinePrinter(run))
    text = capsys.readouterr().out
    assert "for the first time" not in text
    assert text.count("for good") == 1
    assert text.count("┤") == text.split("resumed after epoch 1")[1].count("┤") > 0


def test_a_run_that_failed_before_it_began_is_summed_up_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished_run(tmp_path, finished_record("failed", epoch=0, message="no such column"))
    follow_lines(run, LinePrinter(run))
    assert "failed after epoch 0: no such column" in capsys.readouterr().out
