"""What single rows' losses ask of the outputs: the direction in which each would fall fastest."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from .accounting import Accounting
from .loss_sum import Loss
from .residuals_of_own_loss import BestOfFirstBatch, ResidualsOfOwnLoss
from .row_losses import losses_of_rows

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
        return ResidualsOfOwnLoss(loss, accounting)
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
    return BestOfFirstBatch(loss)
