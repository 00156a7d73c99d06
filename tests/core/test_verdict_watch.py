"""The engine tells a run's verdict when it changes, and once more at the end."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from msgspec.structs import astuple, replace

from epochtop.core.engine.process import resume_here, train_here
from epochtop.core.engine.verdict_watch import VerdictWatch
from epochtop.core.events import (
    EpochCompleted,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
    ValChange,
    VerdictChanged,
)
from epochtop.core.run.directory import Run
from epochtop.core.settings.toml_file import resolve_settings
from epochtop.core.verdict.curves import Yardsticks, curves_of, yardsticks_of
from epochtop.core.verdict.judge import judge

from ..records import epoch_record, started_record
from .engines import events_of

BASELINE = 1.0


def told_of(records: Iterable[Event], watch_all: bool = True) -> list[VerdictChanged]:
    told: list[VerdictChanged] = []
    watch = VerdictWatch(told.append)
    for record in records:
        watch._next_look = 0.0 if watch_all else watch._next_look  # noqa: SLF001 - look at each
        watch.hear(record)
    return told


def overfit(epochs: int) -> list[EpochCompleted]:
    """A validation loss that falls until epoch 20 and rises from then on."""
    return [
        epoch_record(
            number,
            train_loss=1 / number,
            train_loss_eval=1 / number,
            val_loss=0.3 + 0.7 / min(number, 20) + 0.02 * max(0, number - 20),
            val_rise_error=0.005,
        )
        for number in range(1, epochs + 1)
    ]


def test_a_verdict_is_told_when_it_is_another_one_and_not_again() -> None:
    told = told_of([started_record(), *overfit(60)])
    names = [each.verdict for each in told]
    assert names[-1] == "overfitting"
    assert all(first != second for first, second in pairwise(names))
    assert 15 <= told[-1].since_epoch <= 25
    assert told[-1].evidence["rise_share"] > 0


def test_a_verdict_is_told_once_it_has_lasted_for_some_epochs() -> None:
    records, start = overfit(60), started_record(baseline_loss=BASELINE)
    found = [judge(curves_of(records[:end], Yardsticks(BASELINE))).name for end in range(1, 61)]
    first = found.index("overfitting") + 1

    def is_told(epochs: int) -> bool:
        return "overfitting" in {each.verdict for each in told_of([start, *records[:epochs]])}

    assert (is_told(first), is_told(first + 5)) == (False, True)


def test_the_rows_of_the_last_epochs_that_stand_count() -> None:
    """The verdict of a journal that is read is the one that the engine has told."""
    records = [
        replace(record, val_change=ValChange(since_epoch=record.epoch // 2, by=0.1, error=error))
        for record, error in zip(overfit(30), np.linspace(0.001, 0.2, 30), strict=True)
    ]
    told: list[VerdictChanged] = []
    watch = VerdictWatch(told.append)
    heard: list[Event] = [started_record(baseline_loss=BASELINE), *records, RunResumed(epoch=25)]
    for record in heard:
        watch.hear(record)
    again = records[25]
    watch.hear(replace(again, val_change=None))
    watch.conclude()
    alone = [*records[:25], replace(again, val_change=None)]
    assert told[-1].evidence == judge(curves_of(alone, Yardsticks(BASELINE))).evidence


def test_epochs_that_are_void_count_no_longer() -> None:
    told: list[VerdictChanged] = []
    watch = VerdictWatch(told.append)
    records: list[Event] = [started_record(), *overfit(60), RunResumed(epoch=18)]
    for record in records:
        watch.hear(record)
    watch.conclude()
    assert told[-1].verdict != "overfitting"


def test_a_run_ends_with_its_verdict_before_its_last_record(tmp_path: Path) -> None:
    overrides = ["data.source=digits", "train.epochs=30", "stopping.patience=0"]
    outcome = train_here(resolve_settings(overrides=overrides), tmp_path, None, lambda _: print)
    events = events_of(_run(outcome))
    assert isinstance(events[-1], RunFinished)
    (last, *_) = [event for event in reversed(events) if isinstance(event, VerdictChanged)]
    assert last.verdict in {"overfitting", "good_fit", "inconclusive"}
    assert last.evidence["train_learnt"] > 0.9


def test_a_run_that_goes_on_is_judged_with_its_first_epochs(tmp_path: Path) -> None:
    overrides = ["data.source=digits", "train.epochs=30", "stopping.patience=0"]
    run = _run(train_here(resolve_settings(overrides=overrides), tmp_path, None, lambda _: print))
    resume_here(run, ["train.epochs=33"], lambda _: print)
    verdicts = [event for event in events_of(run) if isinstance(event, VerdictChanged)]
    assert verdicts[-1].verdict != "warming_up"  # which three epochs alone would be


def test_an_engine_judges_by_all_that_its_journal_tells(tmp_path: Path) -> None:
    """A regression: a new run's engine knew no constant's loss, only one that went on did."""
    overrides = ["data.source=digits", "train.epochs=12", "stopping.patience=0"]
    run = _run(train_here(resolve_settings(overrides=overrides), tmp_path, None, lambda _: print))
    for more in (14, 16):
        events = events_of(run)
        (started,) = [each for each in events if isinstance(each, RunStarted)]
        yardsticks = yardsticks_of(started)
        assert None not in astuple(yardsticks)
        epochs = [each for each in events if isinstance(each, EpochCompleted)]
        (*_, last) = [each for each in events if isinstance(each, VerdictChanged)]
        assert last.evidence == judge(curves_of(epochs, yardsticks)).evidence
        resume_here(run, [f"train.epochs={more}"], lambda _: print)


def _run(outcome: object) -> Run:
    run = getattr(outcome, "run", None)
    assert isinstance(run, Run)
    return run
