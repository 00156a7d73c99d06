"""What single rows' losses ask of the outputs: the direction in which each would fall fastest."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from .accounting import Accounting
from .loss_sum import Loss
from .row_losses import losses_of_rows

Residuals = Callable[[Tensor, Tensor], Tensor]
_Map = Callable[[Tensor], Tensor]


def _as_they_are(outputs: Tensor) -> Tensor:
    return outputs


def _log_softmax(logits: Tensor) -> Tensor:
    return functional.log_softmax(logits, 1)


# Of outputs that are probabilities or their logarithms the logits' residuals are meant: target
# less probability. The gradient by a probability itself tells the target, and hardly the error.
_LOGITS: dict[str | None, tuple[_Map, _Map]] = {
    "nll_loss": (_as_they_are, _log_softmax),
    "kl_div": (_as_they_are, _log_softmax),
    "binary_cross_entropy": (torch.logit, torch.sigmoid),
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
        a function of outputs and targets, both of shape (rows, ...), to a tensor of shape (rows,
        numbers a row); None for a loss that knows no row's own, or whose outputs are no guess at
        the targets.
    """
    each, function = losses_of_rows(loss, accounting), accounting.criterion.function
    if each is None or function in _HAVE_NONE:
        return None
    logits_of, outputs_of = _LOGITS.get(function, (_as_they_are, _as_they_are))

    def residuals(outputs: Tensor, targets: Tensor) -> Tensor:
        with torch.enable_grad():
            moved = logits_of(outputs).detach().requires_grad_()
            total = each(outputs_of(moved), targets).sum()
            (gradient,) = torch.autograd.grad(total, moved)
        return -gradient.reshape(len(gradient), -1)

    return residuals
