"""Each row's own part of a loss, so that two epochs can be compared row by row."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..precision import in_float64
from .accounting import Accounting
from .loss_sum import Loss
from .rows_of_own_loss import RowsOfOwnLoss

RowLosses = Callable[[Any, Tensor], Tensor | None]


def row_losses_of(loss: Loss, accounting: Accounting) -> RowLosses | None:
    """What gives each row's numerator of a batch's loss, of shape (rows,).

    Args:
        loss: of outputs and targets.
        accounting: how it counts.

    Returns:
        a function of a batch's outputs and targets, which gives None where only the batch's number
        is known; None for a loss that has its own `denominator`.
    """
    if accounting.own_denominator is not None:
        return None
    each = losses_of_rows(loss, accounting)
    if each is None:
        return RowsOfOwnLoss(loss, accounting)

    def row_losses(outputs: Any, targets: Tensor) -> Tensor:
        losses = each(outputs, targets).detach()
        return losses if losses.dim() == 1 else losses.flatten(1).sum(1)

    return row_losses


def losses_of_rows(loss: Loss, accounting: Accounting) -> Loss | None:
    """The loss without a reduction, of shape (rows, ...); None for one that torch does not know."""
    criterion = accounting.criterion
    known = criterion.function is not None and not criterion.changed
    if not known or accounting.own_denominator is not None:
        return None
    loss = getattr(loss, "_orig_mod", loss)  # what torch.compile wrapped
    return _of_module(loss) if isinstance(loss, nn.Module) else _of_function(loss)


def rise_of(now: Tensor, before: Tensor, weights: Tensor | float) -> tuple[Tensor, Tensor]:
    """How much larger a mean loss is than before, and the standard error of that.

    The losses of the same rows are compared, so what makes a row hard or easy counts in neither.
    The error is that of a ratio of two sums over independent rows (Cochran, Sampling Techniques,
    section 6.4): sqrt(n / (n - 1) * sum (d_i - w_i r)^2) / sum w_i with d_i the difference of a
    row and r = sum d_i / sum w_i. Where all rows count the same it is the mean's usual one.

    Args:
        now: each row's numerator, of shape (rows,).
        before: the same rows' earlier ones.
        weights: what each adds to the denominator; a number where all add the same.

    Returns:
        two numbers of shape (), nan where nothing counts or there is one row only.
    """
    differences, rows = now - before, len(now)
    if not isinstance(weights, Tensor):
        spread, mean = torch.std_mean(differences)
        return mean / weights, spread / (weights * rows**0.5)
    differences = in_float64(differences)
    total = weights.sum()
    rise = differences.sum() / total
    scale = (rows / (rows - 1)) ** 0.5 if rows > 1 else float("nan")
    error = torch.linalg.vector_norm(differences - weights * rise) * scale / total
    return rise.to(now.dtype), error.to(now.dtype)


def _of_module(loss: Any) -> Loss:
    # set as an attribute, a module would look for it among its weights first, at each batch
    options = loss.__dict__

    def each(outputs: Any, targets: Tensor) -> Tensor:
        usual, options["reduction"] = options["reduction"], "none"
        try:
            result: Tensor = loss(outputs, targets)
        finally:
            options["reduction"] = usual
        return result

    return each


def _of_function(loss: Loss) -> Loss:
    given = dict(loss.keywords) if isinstance(loss, functools.partial) else {}
    function = getattr(functional, str(getattr(_unwrapped(loss), "__name__", "")))
    for name in ("size_average", "reduce"):
        given.pop(name, None)
    return functools.partial(function, **{**given, "reduction": "none"})


def _unwrapped(loss: Loss) -> Any:
    return loss.func if isinstance(loss, functools.partial) else loss
