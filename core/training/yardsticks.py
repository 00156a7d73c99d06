"""What the data give without the model: measured once, before the training."""

import math

from ..data.dataset import Split
from ..loss.baseline import baseline_loss
from ..loss.loss_sum import Loss
from ..verdict.curves import Yardsticks
from .learnable import learnable_share


def measured_yardsticks(
    loss: Loss, train: Split, val: Split, num_outputs: int | None = None
) -> Yardsticks:
    """The best constant's losses, where they are finite, and how much of it a plain method learns.

    That share is of no use, and None, where no constant's loss is known.

    Raises:
        LossError: the targets hold a class that is none of the outputs.
    """
    of_val, of_train = (
        baseline_loss(loss, train.targets, split.targets, num_outputs) for split in (val, train)
    )
    share = None if of_train is None else learnable_share(loss, train, val)
    return Yardsticks(_finite(of_val), _finite(of_train), share)


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
