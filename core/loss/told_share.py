"""How much of a constant's loss goes when the targets are told, more or less."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..seeds import generators_kept
from .fitted_constant import NEXT_TO_NOTHING, as_outputs, fitted_constant
from .loss_sum import Loss
from .own_loss import loss_to_ask


def share_of_loss(
    loss: Loss, targets: Tensor, told: Tensor, output_shape: Sequence[int] | None
) -> float | None:
    """The share of the best constant's loss that goes where it is added to what is told.

    Args:
        loss: of outputs and targets; it is not changed.
        targets: of shape (rows, ...), on the CPU.
        told: guesses at them, of shape (rows, numbers).
        output_shape: that of one row's outputs; None for that of the targets.

    Returns:
        at most 1; None for a loss whose outputs are no guesses at the targets, as it is not next
        to nothing where these are the outputs.
    """
    shape = tuple(targets.shape[1:] if output_shape is None else output_shape)
    asked = loss_to_ask(loss)
    offsets, perfect = (as_outputs(each, shape) for each in (told, targets))
    if asked is None or offsets is None or perfect is None:
        return None

    def of_told(constant: Tensor, rows: Tensor) -> Tensor:
        return asked(offsets + constant, rows)

    try:
        with generators_kept(targets.device), torch.no_grad():
            left, right = (fitted_constant(each, targets, shape) for each in (of_told, asked))
            least = float(asked(perfect, targets))
    except Exception:  # noqa: BLE001 - a user's own code, which need not take such outputs
        return None
    if left is None or right is None or not abs(least) <= NEXT_TO_NOTHING * right.loss:
        return None
    return 1 - left.loss / right.loss
