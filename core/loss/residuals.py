"""What single rows' losses ask of the outputs: the direction in which each would fall fastest."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from .accounting import Accounting
from .fitted_constant import fitted_constant
from .loss_sum import Loss
from .own_loss import loss_to_ask
from .row_losses import losses_of_rows
from .rows_of_own_loss import RowsOfOwnLoss

Residuals = Callable[[Tensor, Tensor], Tensor | None]
_Map = Callable[[Tensor], Tensor]


def _unchanged(outputs: Tensor) -> Tensor:
    return outputs


def _log_softmax(logits: Tensor) -> Tensor:
    return functional.log_softmax(logits, 1)


# Of outputs that are probabilities or their logarithms the logits' residuals are meant: target
# less probability. The gradient by a probability itself tells the target, and hardly the error.
# Logarithms of probabilities are logits; probabilities of 0 and 1 have none that is finite.
_OUTPUTS_OF_LOGITS: dict[str | None, tuple[_Map, _Map]] = {
    "nll_loss": (_unchanged, _log_softmax),
    "kl_div": (_unchanged, _log_softmax),
    "binary_cross_entropy": (partial(torch.logit, eps=1e-6), torch.sigmoid),
}
# A hinge's outputs are distances, and a linear loss's are a layer's inputs.
_HAVE_NONE = frozenset({"hinge_embedding_loss", "linear_cross_entropy"})

# Of a loss that a user wrote, the gradient at 0 may be so many times that far from it.
_STEEPEST = 1e3


def residuals_of(loss: Loss, accounting: Accounting) -> Residuals | None:
    """What gives each row's residuals: minus the gradient of its own loss by its outputs.

    These are target less output for a squared error (twice), target less probability for a cross
    entropy of logits.

    Args:
        loss: of outputs and targets.
        accounting: how it counts.

    Returns:
        a function of a batch's outputs and targets, both of shape (rows, ...), to a tensor of
        shape (rows, numbers a row), or to None for outputs of which nobody knows where the
        classes are, and for a user's own loss that does not add up from its rows or takes
        probabilities; None for a loss that has its own `denominator`, or whose outputs are no
        guess at the targets.
    """
    each, function = losses_of_rows(loss, accounting), accounting.criterion.function
    if function in _HAVE_NONE or accounting.own_denominator is not None:
        return None
    if each is None:
        return _ResidualsOfOwnLoss(loss, accounting)
    logits_of, outputs_of = _OUTPUTS_OF_LOGITS.get(function, (_unchanged, _unchanged))

    def residuals(outputs: Tensor, targets: Tensor) -> Tensor | None:
        if function == "kl_div" and outputs.dim() != 2:
            return None
        with torch.enable_grad():
            logits = logits_of(outputs).detach().requires_grad_()
            (gradient,) = torch.autograd.grad(each(outputs_of(logits), targets).sum(), logits)
        return -gradient.reshape(len(gradient), math.prod(gradient.shape[1:]))

    return residuals


def uninformed_outputs_of(loss: Loss, accounting: Accounting) -> Callable[[Tensor, Tensor], Tensor]:
    """What gives a batch, by its outputs and targets, outputs that are the same for all rows.

    Of torch's criteria these are 0, from which the residuals of squared errors and cross-entropies
    differ by as much as from those of the best constant. A loss that a user wrote may weigh errors
    by their sign, so of it they are the best constant of the first batch.
    """
    if losses_of_rows(loss, accounting) is not None:
        return lambda outputs, _: torch.zeros_like(outputs)
    return _BestOfFirstBatch(loss)


class _BestOfFirstBatch:
    """The constant that a loss is lowest at over the first batch; 0 if there is none."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._constant: Tensor | None = None

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self._constant is None:
            self._constant = self._fitted(outputs, targets)
        return self._constant.expand_as(outputs).contiguous()

    def _fitted(self, outputs: Tensor, targets: Tensor) -> Tensor:
        try:
            asked = loss_to_ask(self._loss) or self._loss
            found = fitted_constant(asked, targets, outputs.shape[1:])
        except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
            found = None
        return torch.zeros_like(outputs[0]) if found is None else found.outputs.to(outputs)


class _ResidualsOfOwnLoss:
    """The residuals of a loss that a user wrote, from the gradient of a batch's number.

    As the rows add up to it, each row's outputs have their own loss's gradient. It tells nothing of
    a loss that takes probabilities, has no gradient where it is not 0, or is steep at 0 alone.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self._loss = loss
        self._accounting = accounting
        self._rows = RowsOfOwnLoss(loss, accounting)
        self._is_smooth: bool | None = None

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor | None:
        rows = self._rows(outputs, targets)
        if self._is_smooth is None:
            self._is_smooth = rows is not None and self._takes_any_number(outputs, targets)
        if rows is None or not self._is_smooth:
            return None
        _, gradient = self._gradient(self._loss, outputs, targets)
        if bool(((gradient == 0).all(1) & (rows != 0)).any()):
            return None
        if self._accounting.reduction == "mean":
            gradient = gradient * self._accounting.denominator(outputs, targets)
        return -gradient

    def _takes_any_number(self, outputs: Tensor, targets: Tensor) -> bool:
        """Try outputs that are no probabilities, and none at all."""
        try:
            asked = loss_to_ask(self._loss) or self._loss
            value, far = self._gradient(asked, 2 + outputs.abs(), targets)
            _, at_0 = self._gradient(asked, torch.zeros_like(outputs), targets)
        except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
            return False
        is_smooth = bool(far.any() and at_0.norm() <= _STEEPEST * far.norm())
        return is_smooth and 0 <= value < math.inf

    def _gradient(self, loss: Loss, outputs: Tensor, targets: Tensor) -> tuple[float, Tensor]:
        """A batch's loss, and what each row's outputs change it by, of shape (rows, numbers)."""
        with torch.enable_grad():
            given = outputs.detach().clone().requires_grad_()
            value = loss(given, targets)
            (gradient,) = torch.autograd.grad(value, given)
        return float(value.detach()), gradient.reshape(len(gradient), math.prod(outputs.shape[1:]))
