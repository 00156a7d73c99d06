"""Where a training stands: within an epoch, and at its best so far."""

import copy
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..loss.loss_sum import LossSum

# A model's state dict: tensors by name, and what a layer's `get_extra_state` returns.
Weights = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """A copy of the model's weights after an epoch, on the model's device."""

    epoch: int
    step: int
    val_loss: float
    weights: Weights


@dataclass
class EpochProgress:
    """How far the running epoch is.

    `batches` are those seen up to the last step; `counted_by_step` says for each step how many of
    them counted in the losses by its end. `lr` is the rate of the first one, `grad_norm`
    the largest norm so far, and `seconds` what was spent on the epoch before it was left;
    `random` is where the generators stood then (see `seeds`), until they are put back there.
    """

    batches: int = 0
    losses: LossSum = field(default_factory=LossSum)
    counted_by_step: list[int] = field(default_factory=list)
    lr: float | None = None
    grad_norm: Tensor | None = None
    seconds: float = 0.0
    random: dict[str, Any] | None = None

    def step_of(self, index: int, step: int) -> int:
        """The step that learnt from a batch.

        Args:
            index: the batch's place among those that count in the epoch.
            step: the last step that was taken.
        """
        steps_before = step - len(self.counted_by_step)
        return steps_before + bisect_right(self.counted_by_step, index) + 1


def copy_weights(model: nn.Module) -> Weights:
    """A copy of a model's state dict, on its device."""
    return _of_each(model.state_dict(), lambda tensor: tensor.detach().clone())


def weights_on(device: torch.device, weights: Weights) -> Weights:
    """A state dict with its tensors on a device."""
    return _of_each(weights, lambda tensor: tensor.to(device))


def _of_each(weights: Weights, change: Callable[[Tensor], Tensor]) -> Weights:
    """A state dict with its tensors changed, its layers' versions kept, all else copied."""
    changed: Weights = OrderedDict(
        (name, change(value) if isinstance(value, Tensor) else copy.deepcopy(value))
        for name, value in weights.items()
    )
    vars(changed).update(copy.deepcopy(getattr(weights, "__dict__", {})))
    return changed
