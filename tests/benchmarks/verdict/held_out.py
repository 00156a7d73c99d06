"""The loss on rows that a run never sees, and how sure their number makes of its changes."""

import math

import torch

from epochtop.core.loss.accounting import accounting_of
from epochtop.core.loss.loss_sum import LossSum, read_from_device
from epochtop.core.training.paired import PairedLosses

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
        self._since_lowest = PairedLosses(problem.loss, accounting)
        self._since_end = PairedLosses(problem.loss, accounting)
        self._lowest = self._lowest_since_end = math.inf

    def measure(self) -> None:
        """Take in the model as it is after another epoch."""
        problem = self._problem
        problem.model.eval()
        with torch.no_grad():
            inputs, targets = problem.held_out
            outputs = problem.model(inputs)
            self.losses.append(loss := float(problem.loss(outputs, targets)))
            rise, since_end = (
                self._compared(paired, outputs) for paired in (self._since_lowest, self._since_end)
            )
        is_lowest = loss < self._lowest
        self._lowest = min(loss, self._lowest)
        self.rise_errors.append(0.0 if is_lowest else rise)
        self._since_lowest.keep(1, is_best=is_lowest)
        at_end = len(self.losses) == problem.epochs
        self._since_end.keep(1, is_best=at_end)
        if len(self.losses) > problem.epochs and loss < self._lowest_since_end:
            self._lowest_since_end, self.fall_error = loss, since_end

    def _compared(self, paired: PairedLosses, outputs: torch.Tensor) -> float:
        paired.begin()
        paired.add(outputs, self._problem.held_out[1])
        rise, _ = paired.compare(1)
        read_from_device(rise)
        return _error_of(rise)


def _error_of(rise: LossSum) -> float:
    return rise.denominators[0] if len(rise) and math.isfinite(rise.denominators[0]) else 0.0
