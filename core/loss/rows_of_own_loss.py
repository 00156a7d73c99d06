"""Each row's own part of a user's own loss, of which torch knows no form without a mean."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor

from ..seeds import generators_kept
from .accounting import Accounting
from .loss_sum import Loss
from .own_loss import asked_on_copies, may_be_asked

# By so much, as a share, the rows may add up to another number than the batch's own.
_TOLERANCE = 1e-3


class RowsOfOwnLoss:
    """Asks a loss about each row as a batch of its own, about all of them at once.

    It is trusted only where nothing shows that it was asked, and where the rows of the first batch
    add up to the batch's number, which those of a contrast between rows do not.

    Args:
        loss: of outputs and targets.
        accounting: how it counts.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self._loss = asked_on_copies(loss)
        self._may_be_asked = may_be_asked(loss)
        self._accounting = accounting
        self._is_trusted: bool | None = None

    def __call__(self, outputs: Any, targets: Tensor) -> Tensor | None:
        """Each row's numerator, of shape (rows,); None once there was a batch that cannot tell."""
        if self._is_trusted is None:
            self._is_trusted = self._can_be_trusted(outputs, targets)
        rows = self._numerators(outputs, targets) if self._is_trusted else None
        self._is_trusted = rows is not None
        return rows

    def _can_be_trusted(self, outputs: Any, targets: Tensor) -> bool:
        """Try it; of a single row nobody can tell."""
        if not self._may_be_asked or not isinstance(outputs, Tensor):
            return False
        if not 1 < len(targets) == len(outputs):
            return False
        try:
            with warnings.catch_warnings(), generators_kept(outputs.device):
                warnings.simplefilter("error")  # of operations that go through rows one by one
                rows = self._numerators(outputs, targets)
                whole = float(self._loss(outputs, targets))
        except Exception:  # noqa: BLE001 - a user's own code, which may warn of anything
            return False
        if rows is None:
            return False
        denominator = float(self._accounting.denominator(outputs, targets))
        expected = self._accounting.numerator(whole, denominator)
        return math.isclose(float(rows.sum()), expected, rel_tol=_TOLERANCE)

    def _numerators(self, outputs: Tensor, targets: Tensor) -> Tensor | None:
        def of_row(output: Tensor, target: Tensor) -> Tensor:
            return self._loss(output[None], target[None])

        weights = self._accounting.row_weights(targets)
        try:
            losses = torch.func.vmap(of_row)(outputs, targets).detach()
        except Exception:  # noqa: BLE001 - a user's own code, which need not take a single row
            return None
        if weights is None or losses.shape != (len(targets),):
            return None
        if self._accounting.reduction == "sum":
            return losses
        weights = weights.to(losses)
        return (losses * weights).where(weights != 0, 0.0)
