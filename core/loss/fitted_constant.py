"""The constant outputs that a loss is lowest at, found by minimising where no formula is known."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize
from torch import Tensor

from ..precision import in_float64
from ..seeds import drawn_places
from .loss_sum import Loss

# The constant is fitted to so many rows at most, and to as many numbers in all.
_MOST_ROWS, _MOST_NUMBERS = 1 << 16, 1 << 20
# A row with more outputs is an image or a text by itself.
_MOST_OUTPUTS = 1024
# Up to so many outputs are also searched one by one: at a kink no slope shows the way.
_MOST_SEARCHED = 16
_STEPS, _MOST_CALLS = 100, 1000
# So long, in seconds, the search may hold up the start of a run.
_LONGEST = 2.0
# From so many constants it begins, the best of those that are tried.
_MOST_STARTS = 3
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Of the constant's loss outputs that are the best there are may have so much.
NEXT_TO_NOTHING = 1e-3
# Logits that are as good as certain.
_CERTAIN = 40.0


class FittedConstant(NamedTuple):
    """A row's outputs, float32 on the targets' device, and the loss they were fitted by."""

    outputs: Tensor
    loss: float


def fitted_constant(
    loss: Loss, targets: Tensor, output_shape: Sequence[int]
) -> FittedConstant | None:
    """The constant with the lowest loss over the targets, or over some of very many.

    It is looked for by slopes (L-BFGS), and where outputs are few along each of them as well
    (Powell's method), which losses that are lowest at a kink need, such as a quantile's.

    Args:
        loss: of outputs and targets, a mean or a sum over the rows.
        targets: of shape (rows, ...).
        output_shape: that of one row's outputs.

    Returns:
        None for no or very many outputs, for a loss that is too slow, and for one that is no number
        at any constant tried.
    """
    if not 0 < math.prod(output_shape) <= _MOST_OUTPUTS:
        return None
    rows = _some_rows(targets, math.prod(output_shape))
    of_point = _OfPoint(loss, rows, output_shape)
    try:
        lowest = _lowest(of_point, [*_starts(rows, output_shape)])
    except TimeoutError:
        return None
    if not math.isfinite(lowest.fun):
        return None
    return FittedConstant(of_point.constant(lowest.x), float(lowest.fun))


def as_outputs(numbers: Tensor, output_shape: Sequence[int]) -> Tensor | None:
    """Rows' numbers as outputs: each one, or the only one for all; None for any other number.

    Args:
        numbers: of shape (rows, ...).
        output_shape: that of one row's outputs.
    """
    of_row = math.prod(numbers.shape[1:])
    if of_row == math.prod(output_shape):
        return numbers.float().reshape(-1, *output_shape)
    if of_row == 1:
        return numbers.float().reshape(-1, *[1] * len(output_shape)).expand(-1, *output_shape)
    return None


def certain_outputs(targets: Tensor, output_shape: Sequence[int]) -> Iterator[Tensor]:
    """Outputs that may be the best there are: the targets, or logits that are certain of them.

    Args:
        targets: of shape (rows, ...).
        output_shape: that of one row's outputs.
    """
    if (numbers := as_outputs(targets, output_shape)) is not None:
        yield numbers
        yield _CERTAIN * (2 * numbers - 1)
    if not targets.is_floating_point() and targets.shape[1:] == tuple(output_shape[1:]):
        classes = torch.arange(output_shape[0], device=targets.device)
        is_class = targets.unsqueeze(1) == classes.reshape(-1, *[1] * (targets.dim() - 1))
        yield _CERTAIN * is_class.float()
        yield is_class.float()
        yield is_class.float().log()


class _OfPoint:
    """The loss as a function of a constant in numbers."""

    def __init__(self, loss: Loss, targets: Tensor, output_shape: Sequence[int]) -> None:
        self._loss = loss
        self._targets = targets
        self._shape = tuple(output_shape)
        self._until = time.perf_counter() + _LONGEST

    def constant(self, point: NDArray[np.float64]) -> Tensor:
        numbers = torch.from_numpy(point.astype(np.float32))
        return numbers.reshape(self._shape).to(self._targets.device)

    def value(self, point: NDArray[np.float64]) -> float:
        with torch.no_grad():
            return self._number(self._loss_of(self.constant(point)))

    def value_and_slope(self, point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        constant = self.constant(point).requires_grad_()
        with torch.enable_grad():
            value = self._loss_of(constant)
            (slope,) = torch.autograd.grad(value, constant)
        return self._number(value.detach()), slope.cpu().double().numpy().reshape(-1)

    def _loss_of(self, constant: Tensor) -> Tensor:
        if time.perf_counter() > self._until:
            raise TimeoutError
        outputs = constant.expand(len(self._targets), *self._shape).contiguous()
        return self._loss(outputs, self._targets)

    def _number(self, value: Tensor) -> float:
        number = float(value)
        return number if math.isfinite(number) else math.inf


def _lowest(of_point: _OfPoint, starts: list[NDArray[np.float64]]) -> Any:
    """Where the loss is lowest, of what is found from the best starts."""
    best = sorted(starts, key=of_point.value)[:_MOST_STARTS]
    found = [_descended(of_point, start) for start in best]
    lowest = min(found, key=lambda each: each.fun if math.isfinite(each.fun) else math.inf)
    if len(lowest.x) > _MOST_SEARCHED:
        return lowest
    options = {"maxfev": _MOST_CALLS}
    searched = optimize.minimize(of_point.value, lowest.x, method="Powell", options=options)
    return searched if searched.fun < lowest.fun else lowest


def _descended(of_point: _OfPoint, start: NDArray[np.float64]) -> Any:
    options = {"maxiter": _STEPS}
    return optimize.minimize(
        of_point.value_and_slope, start, jac=True, method="L-BFGS-B", options=options
    )


def _starts(targets: Tensor, output_shape: Sequence[int]) -> Iterator[NDArray[np.float64]]:
    """Nothing, and the targets' mean and quantiles where outputs may be guesses at them."""
    yield np.zeros(math.prod(output_shape))
    if (numbers := as_outputs(targets, output_shape)) is None:
        return
    rows = in_float64(numbers.flatten(1)).cpu().numpy()
    for start in (rows.mean(0), *np.quantile(rows, _QUANTILES, axis=0)):
        if np.isfinite(start).all():
            yield start


def _some_rows(targets: Tensor, outputs: int) -> Tensor:
    most = max(1, min(_MOST_ROWS, _MOST_NUMBERS // outputs))
    if len(targets) <= most:
        return targets
    return targets[drawn_places(len(targets), most).to(targets.device)]
