"""The validation rows' losses now and earlier: is a change of their mean more than luck?"""

from typing import Any

import torch
from torch import Tensor

from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..loss.row_losses import rise_of, row_losses_of
from ..verdict.reference import half_way, is_compared, is_reference

# Of one row nobody can tell how much the mean owes to luck.
_FEWEST_ROWS = 2


class PairedLosses:
    """Compares each validation row's loss with its own at earlier epochs, where losses allow it.

    These are the best epoch and one about half-way.

    Args:
        loss: of outputs and targets.
        accounting: how it counts.

    Attributes:
        best: the rows' numerators at the epoch with the lowest loss, None before there is one.
        references: those of the epochs that are about half-way, or will be.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self.best: Tensor | None = None
        self.references: dict[int, Tensor] = {}
        self._row_losses = row_losses_of(loss, accounting)
        self._accounting = accounting
        self._batches: list[Tensor] = []
        self._weights_of_batches: list[Tensor | None] = []
        self._now: Tensor | None = None
        self._weights: Tensor | float | None = None
        self._weights_of = 0

    def begin(self) -> None:
        """Forget the batches of an evaluation that was left before its end."""
        self._batches, self._weights_of_batches = [], []

    def add(self, outputs: Any, targets: Tensor) -> None:
        """Take in a batch of an evaluation, always in the same order."""
        rows = self._row_losses(outputs, targets) if self._row_losses else None
        if rows is None:
            self._row_losses = None
            self.begin()
        else:
            self._batches.append(rows)
            if self._weights is None:
                self._weights_of_batches.append(self._accounting.row_weights(targets))

    def compare(self, epoch: int) -> tuple[LossSum, LossSum]:
        """How much the loss is above the best epoch's, and above the one about half-way.

        Each is a `LossSum`'s only pair, the rise and its standard error, still on the device, so
        that they are read together with the losses. There is none without an earlier epoch, where
        an evaluation has other rows than it had, and in most epochs of a long run: the errors
        hardly change from one to the next, and a comparison takes as long as a small step.
        """
        batches, self._batches = self._batches, []
        self._now = torch.cat(batches) if len(batches) > 1 else next(iter(batches), None)
        self._weigh()
        if not is_compared(epoch):
            return LossSum(), LossSum()
        return self._rise_since(self.best), self._rise_since(self.references.get(half_way(epoch)))

    def keep(self, epoch: int, *, is_best: bool) -> None:
        """Remember what later epochs are compared with, once an epoch is complete."""
        if self._now is None:
            return
        if is_best:
            self.best = self._now
        if is_reference(epoch):
            first = half_way(epoch)
            kept = {each: rows for each, rows in self.references.items() if each >= first}
            self.references = {**kept, epoch: self._now}

    def _weigh(self) -> None:
        """Take in what each row counts, which never changes; a number where all are the same."""
        parts = [part for part in self._weights_of_batches if part is not None]
        self._weights_of_batches = []
        if self._now is None or not len(self._now):
            return
        if parts:
            weights, self._weights_of = torch.cat(parts), len(self._now)
            first = float(weights[0])
            is_one = bool((weights == first).all())
            self._weights = first if is_one else weights.to(self._now.device)
        elif self._weights_of != len(self._now):
            self._weights = None  # of other rows than these: known after the next evaluation

    def _rise_since(self, earlier: Tensor | None) -> LossSum:
        pair, now = LossSum(), self._now
        if now is None or earlier is None or self._weights is None or len(now) != len(earlier):
            return pair
        if len(now) >= _FEWEST_ROWS:
            pair.add(*rise_of(now, earlier, self._weights))
        return pair
