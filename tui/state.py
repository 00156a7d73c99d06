"""What a screen shows of a run: an immutable snapshot, and how events change it.

    journal -> events -> reduce(state, events) -> state -> widgets

Best, patience and the rest are as the engine wrote them down; only the speed and the time left
are worked out here, from the times of the records.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    LossNotFinite,
    RunFinished,
    RunResumed,
    RunStarted,
    Stopping,
    StopRequested,
    StopWhen,
)

_RECENT_EPOCHS = 50


@dataclass(frozen=True)
class History:
    """The losses of the first `length` epochs; a loss that was not finite is nan.

    The speed is that of the epochs from index `timed_from` on: since the run was resumed, if it
    was. The columns are shared between snapshots and only ever grow, so a snapshot costs nothing.
    """

    epochs: array[int] = field(default_factory=lambda: array("q"))
    train: array[float] = field(default_factory=lambda: array("d"))
    val: array[float] = field(default_factory=lambda: array("d"))
    times: array[float] = field(default_factory=lambda: array("d"))
    length: int = 0
    timed_from: int = 0

    def __len__(self) -> int:
        return self.length

    def extended(self, records: Iterable[EpochCompleted]) -> History:
        """The history with more epochs after it."""
        base = self if len(self.epochs) == self.length else self.until(self.length)
        for record in records:
            base.epochs.append(record.epoch)
            base.train.append(_or_nan(record.train_loss))
            base.val.append(_or_nan(record.val_loss))
            base.times.append(record.time)
        return replace(base, length=len(base.epochs))

    def until(self, length: int) -> History:
        """A copy of the first epochs, with columns of its own."""
        return History(
            self.epochs[:length],
            self.train[:length],
            self.val[:length],
            self.times[:length],
            length,
            min(self.timed_from, length),
        )

    def up_to_epoch(self, epoch: int) -> History:
        """The history without the epochs after `epoch`."""
        length = self.length
        while length and self.epochs[length - 1] > epoch:
            length -= 1
        return replace(self.until(length), timed_from=length)

    @property
    def epochs_per_second(self) -> float | None:
        """The speed over the last epochs; None before there are two."""
        count = min(self.length - self.timed_from, _RECENT_EPOCHS)
        if count < 2:
            return None
        seconds = self.times[self.length - 1] - self.times[self.length - count]
        return (count - 1) / seconds if seconds > 0 else None


@dataclass(frozen=True)
class RunState:
    """A run as far as its journal tells."""

    started: RunStarted | None = None
    last_epoch: EpochCompleted | None = None
    history: History = field(default_factory=History)
    not_finite: LossNotFinite | None = None
    stop_requested: StopWhen | None = None
    saved: dict[str, CheckpointSaved] = field(default_factory=dict)
    finished: RunFinished | None = None

    @property
    def num_epochs(self) -> int | None:
        """The most epochs that the run trains."""
        return self.started.num_epochs if self.started else None

    @property
    def keeps_best(self) -> bool:
        """Whether the weights to keep are the best epoch's and not the last's."""
        return self.started is None or self.started.setting("stopping", "restore_best") is not False

    @property
    def stopping(self) -> Stopping | None:
        """The stopping rule after the last epoch."""
        return self.last_epoch.stopping if self.last_epoch else None

    @property
    def seconds(self) -> float | None:
        """From the start to the last record of the run."""
        if self.started is None:
            return None
        last = self.finished or self.last_epoch or self.started
        return last.time - self.started.time

    @property
    def seconds_left(self) -> float | None:
        """Until the last epoch at the present speed: the most the run can still take."""
        speed = self.history.epochs_per_second
        if self.last_epoch is None or self.num_epochs is None or not speed:
            return None
        return (self.num_epochs - self.last_epoch.epoch) / speed

    @property
    def seconds_left_if_nothing_improves(self) -> float | None:
        """Until patience is used up at the present speed; None when the run never stops early."""
        speed, stopping = self.history.epochs_per_second, self.stopping
        if stopping is None or not stopping.patience or not speed:
            return None
        return (stopping.patience - stopping.epochs_since_best) / speed


def reduce(state: RunState, events: Iterable[Event]) -> RunState:
    """The state after more events."""
    epochs: list[EpochCompleted] = []
    for event in events:
        match event:
            case EpochCompleted():
                epochs.append(event)
            case RunResumed():
                state = _with_epochs(state, epochs)
                epochs = []
                state = _resumed(state, event)
            case RunStarted():
                state, epochs = RunState(started=event), []
            case LossNotFinite():
                state = replace(state, not_finite=state.not_finite or event)
            case CheckpointSaved():
                state = replace(state, saved={**state.saved, event.kind: event})
            case StopRequested():
                state = replace(state, stop_requested=event.when)
            case RunFinished():
                state = replace(state, finished=event)
            case _:
                pass
    return _with_epochs(state, epochs)


def _with_epochs(state: RunState, epochs: list[EpochCompleted]) -> RunState:
    if not epochs:
        return state
    return replace(state, last_epoch=epochs[-1], history=state.history.extended(epochs))


def _resumed(state: RunState, event: RunResumed) -> RunState:
    return replace(
        state,
        history=state.history.up_to_epoch(event.epoch),
        last_epoch=None,  # the first epoch after it carries the stopping rule's state
        finished=None,
        stop_requested=None,
        not_finite=None,
    )


def _or_nan(loss: float | None) -> float:
    return math.nan if loss is None else loss
