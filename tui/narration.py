"""What the event log tells: records in, lines in plain words out. No Textual.

At hundreds of epochs a second a line an epoch would tell nothing, so improvements that come
together share a line, and epochs without one are told of when patience is half gone and when
few are left. Checkpoints that follow each other by the clock are not told of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    LossNotFinite,
    RunFinished,
    RunResumed,
    Stopping,
    Warned,
)
from .epoch_block import Arrival, EpochBlock
from .event_wording import event_text
from .stopping_wording import new_best_text, stopping_text

Severity = Literal["plain", "good", "warning", "bad"]
_FEW_EPOCHS_LEFT = 3


@dataclass(frozen=True)
class Line:
    """One line of the log; `time` in Unix seconds."""

    time: float
    text: str
    severity: Severity = "plain"


def narrate(records: Sequence[Arrival], before: Stopping | None) -> Iterator[Line]:
    """Tell of new records, in the order of the journal.

    Of a block of epochs only its improvements are told.

    Args:
        records: what came since the last call.
        before: the stopping rule's state before the first of them.
    """
    together: list[EpochBlock] = []
    standing: list[EpochCompleted] = []
    beaten, state = before, before
    for record in records:
        block = _block(record)
        if block is not None and block.improvements:
            beaten = beaten if together else state
            together.append(block)
        elif not isinstance(record, EpochBlock) and (line := _line(record)):
            yield from _improvements(together, beaten)
            together = []
            yield line
        if block is not None:
            standing += block.recent
            state = block.recent[-1].stopping
        elif isinstance(record, RunResumed):
            standing = [epoch for epoch in standing if epoch.epoch <= record.epoch]
            state = standing[-1].stopping if standing else None
    yield from _improvements(together, beaten)


def _block(record: Arrival) -> EpochBlock | None:
    """Epochs as a block, None for what is no epoch."""
    if isinstance(record, EpochCompleted):
        return EpochBlock.of([record])
    return record if isinstance(record, EpochBlock) else None


def _improvements(blocks: Sequence[EpochBlock], before: Stopping | None) -> Iterator[Line]:
    if not blocks:
        return
    first, last = blocks[0].first_improvement, blocks[-1].last_improvement
    if first is None or last is None:
        return
    count = sum(block.improvements for block in blocks)
    where = f"epoch {last.epoch}: "
    if count > 1:
        where = f"epochs {first.epoch} to {last.epoch}: {count} improvements, "
    yield Line(last.time, where + new_best_text(last.stopping, before), "good")


def _line(record: Event) -> Line | None:
    match record:
        case EpochCompleted():
            return _patience_line(record)
        case CheckpointSaved(by="time"):
            return None
    text = event_text(record)
    return Line(record.time, text, _severity(record)) if text else None


def _patience_line(record: EpochCompleted) -> Line | None:
    """A line at half of the patience and at each of its last epochs, None at the others."""
    stopping = record.stopping
    left = stopping.patience - stopping.epochs_since_best
    told = {stopping.patience // 2, *range(1, _FEW_EPOCHS_LEFT + 1)}
    if stopping.patience == 0 or stopping.epochs_since_best == 0 or left not in told:
        return None
    severity: Severity = "warning" if left <= _FEW_EPOCHS_LEFT else "plain"
    return Line(record.time, f"epoch {record.epoch}: {stopping_text(stopping)}", severity)


def _severity(record: Event) -> Severity:
    match record:
        case Warned() | RunResumed(pid=0):  # a run that goes back has lost what it knew
            return "warning"
        case LossNotFinite():
            return "bad"
        case RunFinished(reason="failed" | "not_finite"):
            return "bad"
        case RunFinished(reason="interrupted"):
            return "warning"
        case RunFinished():
            return "good"
        case _:
            return "plain"
