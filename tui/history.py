"""The losses of a run's epochs, in columns that snapshots share."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..core.events import EpochCompleted

_EPOCHS_OF_SPEED = 50


@dataclass(frozen=True)
class History:
    """The losses of the first `length` epochs; a loss that was not finite is nan.

    The speed is that of the epochs from index `timed_from` on: since training last stood still.
    The columns are shared between snapshots and only ever grow, so a snapshot costs nothing.
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
        return self.until(length).timed_anew()

    def timed_anew(self) -> History:
        """The same history, whose speed is that of the epochs still to come."""
        return replace(self, timed_from=self.length)

    @property
    def epochs_per_second(self) -> float | None:
        """The speed over the last epochs; None before there are two."""
        count = min(self.length - self.timed_from, _EPOCHS_OF_SPEED)
        if count < 2:
            return None
        seconds = self.times[self.length - 1] - self.times[self.length - count]
        return (count - 1) / seconds if seconds > 0 else None


def _or_nan(loss: float | None) -> float:
    return math.nan if loss is None else loss
