"""The loss of the best constant where no formula gives it: found by trying, for any loss.

A share of a constant's loss says nothing unless a loss of 0 is as good as it gets. Of some of
torch's criteria that is known; any other must come to next to nothing for outputs that are certain
of the targets, add up from its rows, be below 0 for none of those tried, and be above 0 for the
constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..seeds import drawn_places, generators_kept
from .accounting import Accounting, accounting_of, exact_mean
from .criterion import Criterion
from .fitted_constant import NEXT_TO_NOTHING, certain_outputs, fitted_constant
from .loss_sum import Loss
from .own_loss import loss_to_ask

# Torch's criteria that are never below 0.
_FROM_ZERO = frozenset(
    {
        "huber_loss",
        "smooth_l1_loss",
        "soft_margin_loss",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "multilabel_soft_margin_loss",
    }
)
# By so much, as a share, a batch's rows may add up to another number than its own.
_TOLERANCE = 1e-3
# Rows that are tried first, and numbers that are measured at a time.
_TRIED_ROWS, _CHUNK_NUMBERS = 64, 1 << 20


class Baselines(NamedTuple):
    """What a constant costs on two splits."""

    val: float
    train: float


def searched_baselines(
    loss: Loss, train: Tensor, val: Tensor, output_shape: Sequence[int]
) -> Baselines | None:
    """The losses of the constant that fits the training targets best, None where it tells nothing.

    Args:
        loss: as the trainer takes it; it is not changed.
        train: targets of shape (rows, ...), what the constant is made from.
        val: targets of shape (rows, ...).
        output_shape: that of one row's outputs.
    """
    asked = loss_to_ask(loss)
    if asked is None:
        return None
    try:
        with generators_kept(train.device):
            return _searched(asked, accounting_of(loss), train, val, output_shape)
    except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
        return None


def _searched(
    loss: Loss, accounting: Accounting, train: Tensor, val: Tensor, output_shape: Sequence[int]
) -> Baselines | None:
    fitted = fitted_constant(loss, train, output_shape)
    if fitted is None:
        return None
    constant = fitted.outputs
    found = Baselines(*(_loss_of(loss, accounting, constant, targets) for targets in (val, train)))
    if not 0 < found.train < math.inf:
        return None
    known = _is_from_zero(accounting.criterion)
    return found if known or _is_trusted(loss, accounting, train, constant, found.train) else None


def _loss_of(loss: Loss, accounting: Accounting, constant: Tensor, targets: Tensor) -> float:
    numerators, denominators = [], []
    for chunk in torch.split(targets, max(1, _CHUNK_NUMBERS // constant.numel())):
        outputs = constant.expand(len(chunk), *constant.shape).contiguous()
        numerator, denominator = _parts_of(loss, accounting, outputs, chunk)
        numerators.append(numerator)
        denominators.append(denominator)
    return exact_mean(numerators, denominators)


def _parts_of(
    loss: Loss, accounting: Accounting, outputs: Tensor, targets: Tensor
) -> tuple[float, float]:
    """A batch's numerator and denominator."""
    with torch.no_grad():
        denominator = float(accounting.denominator(outputs, targets))
        return accounting.numerator(float(loss(outputs, targets)), denominator), denominator


def _is_from_zero(criterion: Criterion) -> bool:
    """Whether it is one of torch's that are never below 0; Poisson's is not without all terms."""
    if criterion.changed:
        return False
    is_full_poisson = criterion.function == "poisson_nll_loss" and criterion.options.get("full")
    return criterion.function in _FROM_ZERO or bool(is_full_poisson)


def _is_trusted(
    loss: Loss, accounting: Accounting, targets: Tensor, constant: Tensor, constant_loss: float
) -> bool:
    """Whether 0 is the least that a user's own loss can be, and it adds up from its rows."""
    tried = targets[drawn_places(len(targets), _TRIED_ROWS).to(targets.device)]
    lowest = [_loss_or_nan(loss, each, tried) for each in certain_outputs(tried, constant.shape)]
    if not any(0 <= each <= NEXT_TO_NOTHING * constant_loss for each in lowest):
        return False
    noise = torch.Generator().manual_seed(0)
    outputs = constant + torch.randn(len(tried), *constant.shape, generator=noise).to(constant)
    places = [slice(None), *(slice(place, place + 1) for place in range(len(tried)))]
    whole, *rows = (_parts_of(loss, accounting, outputs[at], tried[at])[0] for at in places)
    return min(rows) >= 0 and math.isclose(whole, math.fsum(rows), rel_tol=_TOLERANCE)


def _loss_or_nan(loss: Loss, outputs: Tensor, targets: Tensor) -> float:
    """Some losses refuse what is no probability, say."""
    try:
        with torch.no_grad():
            return float(loss(outputs, targets))
    except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
        return math.nan
