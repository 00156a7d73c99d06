"""Epochs that one line of the event log tells of: improvements, and how patience runs low."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ...core.events import EpochCompleted, Stopping
from .stopping_wording import new_best_text, stopping_text

FEW_EPOCHS_LEFT = 3
# How long a line goes on changing: in a long run a quarter of the time so far, so that the log of a
# day is not longer than that of an hour.
_SECONDS_OPEN = 30.0
_SHARE_OPEN = 0.25
# What lasts shorter than this nobody has seen coming.
_SECONDS_OF_DROUGHT = 2.0


class Passage(msgspec.Struct, frozen=True):
    """The epochs of a line that may still change.

    Args:
        key: the line's own.
        began: the time of its first record, in Unix seconds.
        beaten: the rule's state before it.
        first: its first improvement.
        last: its newest record that is told of.
        improvements: how many it holds.
        least_left: the fewest epochs of patience that were left on the way.
        not_finite: how many losses were not finite on the way.
    """

    key: str
    began: float
    beaten: Stopping | None = None
    first: int | None = None
    last: EpochCompleted | None = None
    improvements: int = 0
    least_left: int | None = None
    not_finite: int = 0

    def after(self, record: EpochCompleted) -> Passage:
        """The passage with one more epoch of which there is something to tell."""
        if record.stopping.best_epoch == record.epoch:
            first = record.epoch if self.first is None else self.first
            count = self.improvements + 1
            return replace(self, last=record, first=first, improvements=count)
        left = patience_left(record.stopping)
        least = left if self.least_left is None else min(left, self.least_left)
        return replace(self, last=record, least_left=least)

    def after_many(self, first: EpochCompleted, last: EpochCompleted, count: int) -> Passage:
        """The passage with so many more improvements, of which these are the first and the last."""
        return replace(
            self,
            last=last,
            first=first.epoch if self.first is None else self.first,
            improvements=self.improvements + count,
        )

    @property
    def time(self) -> float:
        """When its newest record was written."""
        return self.began if self.last is None else self.last.time

    @property
    def is_waiting(self) -> bool:
        """Whether its last news is that there was no improvement."""
        return self.last is not None and self.last.stopping.best_epoch != self.last.epoch

    @property
    def is_nearly_over(self) -> bool:
        """Whether few epochs of patience are left."""
        return self.last is not None and patience_left(self.last.stopping) <= FEW_EPOCHS_LEFT

    def seconds_open(self, run_began: float) -> float:
        """How long its line goes on changing."""
        return max(_SECONDS_OPEN, _SHARE_OPEN * (self.began - run_began))

    @property
    def text(self) -> str:
        """The line."""
        if self.last is None:
            return ""
        where = f"epoch {self.last.epoch}: "
        if self.improvements > 1 or (self.improvements and self.is_waiting):
            many = "improvement" if self.improvements == 1 else "improvements"
            where = f"epochs {self.first} to {self.last.epoch}: {self.improvements} {many}, "
        if self.is_waiting:
            return where + stopping_text(self.last.stopping) + self._losses_gone_wrong()
        news = new_best_text(self.last.stopping, self.beaten) + self._narrow_escape()
        return where + news + self._losses_gone_wrong()

    def _losses_gone_wrong(self) -> str:
        losses = "loss" if self.not_finite == 1 else "losses"
        return f"; {self.not_finite:,} more {losses} not finite" if self.not_finite else ""

    def _narrow_escape(self) -> str:
        """How near the run has been to its end while patience ran low too briefly for a line."""
        if self.last is None or self.least_left is None or self.least_left > FEW_EPOCHS_LEFT:
            return ""
        return f"; patience was down to {self.least_left} of {self.last.stopping.patience}"


def patience_left(stopping: Stopping) -> int:
    """The epochs without improvement that it still takes to end the run."""
    return max(0, stopping.patience - stopping.epochs_since_best)


def patience_news(stopping: Stopping) -> bool:
    """Whether an epoch without improvement is told of: at half of the patience, at its end."""
    if not stopping.patience or not stopping.epochs_since_best:
        return False
    told = (stopping.patience // 2, *range(1, FEW_EPOCHS_LEFT + 1))
    return stopping.patience - stopping.epochs_since_best in told


def is_drought(
    before: Stopping | None, record: EpochCompleted, last_improvement: float | None
) -> bool:
    """Whether half of the patience was used up, for long enough that a person may have seen it."""
    since = record.stopping.epochs_since_best or (before.epochs_since_best if before else 0)
    if not record.stopping.patience or since < record.stopping.patience / 2:
        return False
    return last_improvement is None or record.time - last_improvement >= _SECONDS_OF_DROUGHT
