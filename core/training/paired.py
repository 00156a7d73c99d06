"""The validation rows' losses at the best epoch and now: is a rise more than luck of the rows?"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..loss.row_losses import rise_of, row_losses_of

# Of one row nobody can tell how much the mean owes to luck.
_FEWEST_ROWS = 2


class PairedLosses:
    """Compares each validation row's loss with its own at the best epoch, where losses allow it.

    Args:
        loss: of outputs and targets.
        accounting: how it counts.

    Attributes:
        best: the rows' numerators at the epoch with the lowest loss, None before there is one.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self.best: Tensor | None = None
        self._row_losses = row_losses_of(loss, accounting)
        self._accounting = accounting
        self._batches: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._now: Tensor | None = None
        self._weights: Tensor | float = 1.0
        self._weights_of = 0

    def begin(self) -> None:
        """Forget the batches of an evaluation that was left before its end."""
        self._batches, self._targets = [], []

    def add(self, outputs: Any, targets: Tensor) -> None:
        """Take in a batch of an evaluation, always in the same order."""
        if self._row_losses is not None:
            self._batches.append(self._row_losses(outputs, targets))
            self._targets.append(targets)

    def rise(self) -> LossSum:
        """The rise since the best epoch and its standard error, still on the device.

        They are a `LossSum`'s only pair, so that they are read together with the losses; there is
        none before a best epoch, and where an evaluation has other rows than it had.
        """
        batches, targets, self._batches, self._targets = self._batches, self._targets, [], []
        self._now = torch.cat(batches) if len(batches) > 1 else next(iter(batches), None)
        pair = LossSum()
        if self._now is None or self.best is None or len(self._now) != len(self.best):
            return pair
        if len(self._now) < _FEWEST_ROWS:
            return pair
        if self._weights_of != len(self._now):
            self._weights, self._weights_of = self._weights_of_rows(targets), len(self._now)
        pair.add(*rise_of(self._now, self.best, self._weights))
        return pair

    def keep(self) -> None:
        """The epoch just evaluated is the best one."""
        self.best = self._now

    def _weights_of_rows(self, targets: Sequence[Tensor]) -> Tensor | float:
        """What each row counts, which never changes; a number where all count the same."""
        parts = [self._accounting.row_weights(each) for each in targets]
        weights = torch.cat([part for part in parts if part is not None])
        first = float(weights[0])
        return first if bool((weights == first).all()) else weights.to(targets[0].device)
