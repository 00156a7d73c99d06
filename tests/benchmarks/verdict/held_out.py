"""The loss on rows that a run never sees, and how sure their number makes of its changes."""

import math

import torch
from torch import Tensor

from epochtop.core.loss.accounting import accounting_of
from epochtop.core.loss.row_losses import rise_of, row_losses_of

from .problem import Problem


class HeldOut:
    """Measures a problem's model on its held-out rows, epoch by epoch.

    Attributes:
        losses: in evaluation mode, one an epoch.
        rise_errors: the standard error of the difference from the lowest loss so far by the
            differences of the single rows, 0 where it is the lowest.
        fall_error: the same of the lowest loss that came after the problem's epochs, from the
            loss at their end.
    """

    def __init__(self, problem: Problem) -> None:
        self.losses: list[float] = []
        self.rise_errors: list[float] = []
        self.fall_error = 0.0
        self._problem = problem
        accounting = accounting_of(problem.loss)
        self._row_losses = row_losses_of(problem.loss, accounting)
        self._weights = accounting.row_weights(problem.held_out[1])
        self._rows_at_lowest: Tensor | None = None
        self._rows_at_end: Tensor | None = None
        self._lowest = self._lowest_since_end = math.inf

    def measure(self) -> None:
        """Take in the model as it is after another epoch."""
        problem = self._problem
        problem.model.eval()
        inputs, targets = problem.held_out
        with torch.no_grad():
            outputs = problem.model(inputs)
            self.losses.append(loss := float(problem.loss(outputs, targets)))
            rows = None if self._row_losses is None else self._row_losses(outputs, targets)
        is_lowest = loss < self._lowest
        self.rise_errors.append(0.0 if is_lowest else self._error(rows, self._rows_at_lowest))
        if is_lowest:
            self._lowest, self._rows_at_lowest = loss, rows
        if len(self.losses) == problem.epochs:
            self._rows_at_end = rows
        elif len(self.losses) > problem.epochs and loss < self._lowest_since_end:
            self._lowest_since_end = loss
            self.fall_error = self._error(rows, self._rows_at_end)

    def _error(self, now: Tensor | None, before: Tensor | None) -> float:
        if now is None or before is None or self._weights is None:
            return 0.0
        error = float(rise_of(now, before, self._weights)[1])
        return error if math.isfinite(error) else 0.0
