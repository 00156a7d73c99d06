"""The residuals under a loss that a user wrote, of which only a batch's number is at hand."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .accounting import Accounting
from .fitted_constant import fitted_constant
from .loss_sum import Loss
from .own_loss import asked_on_copies
from .rows_of_own_loss import RowsOfOwnLoss

# The gradient at 0 may be so many times that far from it.
_STEEPEST = 1e3


class BestOfFirstBatch:
    """The constant that a loss is lowest at over the first batch; 0 if there is none."""

    def __init__(self, loss: Loss) -> None:
        self._loss = asked_on_copies(loss)
        self._constant: Tensor | None = None

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """It for each row of a batch, of the outputs' shape."""
        if self._constant is None:
            self._constant = self._fitted(outputs, targets)
        return self._constant.expand_as(outputs).contiguous()

    def _fitted(self, outputs: Tensor, targets: Tensor) -> Tensor:
        try:
            found = fitted_constant(self._loss, targets, outputs.shape[1:])
        except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
            found = None
        return torch.zeros_like(outputs[0]) if found is None else found.outputs.to(outputs)


class ResidualsOfOwnLoss:
    """The residuals of a loss that a user wrote, from the gradient of a batch's number.

    As the rows add up to it, each row's outputs have their own loss's gradient. It tells nothing of
    a loss that takes probabilities, has no gradient where it is not 0, or is steep at 0 alone.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self._loss = asked_on_copies(loss)
        self._accounting = accounting
        self._rows = RowsOfOwnLoss(loss, accounting)
        self._is_smooth: bool | None = None

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor | None:
        """Each row's residuals, of shape (rows, numbers); None where they tell nothing."""
        rows = self._rows(outputs, targets)
        if self._is_smooth is None:
            self._is_smooth = rows is not None and self._takes_any_number(outputs, targets)
        if rows is None or not self._is_smooth:
            return None
        try:
            gradient = self._gradient(outputs, targets)[1]
        except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
            return None
        if bool(((gradient == 0).all(1) & (rows != 0)).any()):
            return None
        if self._accounting.reduction == "mean":
            gradient = gradient * self._accounting.denominator(outputs, targets)
        return -gradient

    def _takes_any_number(self, outputs: Tensor, targets: Tensor) -> bool:
        """Try outputs that are no probabilities, and none at all."""
        try:
            value, far = self._gradient(2 + outputs.abs(), targets)
            _, at_0 = self._gradient(torch.zeros_like(outputs), targets)
        except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
            return False
        is_smooth = bool(far.any() and at_0.norm() <= _STEEPEST * far.norm())
        return is_smooth and 0 <= value < math.inf

    def _gradient(self, outputs: Tensor, targets: Tensor) -> tuple[float, Tensor]:
        """A batch's loss, and what each row's outputs change it by, of shape (rows, numbers)."""
        with torch.enable_grad():
            given = outputs.detach().clone().requires_grad_()
            value = self._loss(given, targets)
            (gradient,) = torch.autograd.grad(value, given)
        return float(value.detach()), gradient.reshape(len(gradient), math.prod(outputs.shape[1:]))
