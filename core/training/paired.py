"""The validation rows' losses at the best epoch and now: is a rise more than luck of the rows?"""

from typing import Any

import torch
from torch import Tensor

from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..loss.row_losses import rise_of, row_losses_of


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
        self._weights: Tensor | None = None

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
        self._now = torch.cat(self._batches) if self._batches else None
        pair = LossSum()
        if self._now is not None and self.best is not None and len(self._now) == len(self.best):
            pair.add(*rise_of(self._now, self.best, self._weights_of_rows(len(self._now))))
        self._batches, self._targets = [], []
        return pair

    def keep(self) -> None:
        """The epoch just evaluated is the best one."""
        self.best = self._now

    def _weights_of_rows(self, rows: int) -> Tensor:
        """What each row counts, which never changes."""
        if self._weights is None or len(self._weights) != rows:
            weights = [self._accounting.row_weights(targets) for targets in self._targets]
            self._weights = torch.cat([each for each in weights if each is not None])
        return self._weights.to(self._targets[0].device)
