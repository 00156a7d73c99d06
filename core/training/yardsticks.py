"""What the data give without the model: measured once, before the training."""

import math
from collections.abc import Sequence

from ..data.dataset import Split
from ..loss.baseline import baseline_losses
from ..loss.loss_sum import Loss
from ..verdict.curves import Yardsticks
from .learnable import learnable_share


def measured_yardsticks(
    loss: Loss, train: Split, val: Split, output_shape: Sequence[int] | None = None
) -> Yardsticks:
    """The best constant's losses, where they are finite, and how much of it a plain method learns.

    That share is of no use, and None, where no constant's loss is known.

    Args:
        loss: of outputs and targets.
        train: inputs and targets, of shape (rows, ...).
        val: the same.
        output_shape: that of one row's outputs, if known.

    Raises:
        LossError: the targets hold a class that is none of the outputs.
    """
    constant = baseline_losses(loss, train.targets, val.targets, output_shape)
    if constant is None:
        return Yardsticks()
    share = learnable_share(loss, train, val, output_shape)
    return Yardsticks(_finite(constant.val), _finite(constant.train), share)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
