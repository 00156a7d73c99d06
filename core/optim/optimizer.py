"""The optimiser that the settings describe."""

from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from ..errors import EpochtopError
from ..precision import in_float64
from ..settings.declaration import OptimSettings
from .fused_rules import momenta_of

# On the CPU torch's fused kernels round otherwise than its default form, which the losses are
# to equal; see `default_rules`.
_FUSED_DEVICES = ("cuda", "mps")


def build_optimizer(settings: OptimSettings, model: nn.Module) -> Optimizer:
    """Build torch's own optimiser over all trainable weights; on a GPU in its fused form.

    Raises:
        EpochtopError: the model has nothing to train.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if not weights:
        raise EpochtopError("the model has no weights to train: no parameter has requires_grad")
    lr, weight_decay = settings.lr, settings.weight_decay
    can_fuse = all(w.device.type in _FUSED_DEVICES and w.is_floating_point() for w in weights)
    fused = True if can_fuse else None  # which stands for torch's own choice
    match settings.name:
        case "adam":
            return Adam(weights, lr=lr, weight_decay=weight_decay, fused=fused)
        case "adamw":
            return AdamW(weights, lr=lr, weight_decay=weight_decay, fused=fused)
        case "sgd":
            sgd = SGD(
                weights,
                lr=lr,
                weight_decay=weight_decay,
                momentum=settings.momentum,
                nesterov=settings.nesterov,
                fused=fused,
            )
            if fused and settings.momentum:
                # torch's fused SGD raises a TypeError when a weight's first gradient comes later
                # than the others'; from a momentum of zero the first step is the same
                momenta_of(sgd, weights)
            return sgd


def load_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Go on from the state of an optimiser that may have been on another kind of device.

    A state says whether its own optimiser was fused. This one stays as it was built: torch moves
    the counts of steps to where a fused kernel looks for them, and fp16's scaler asks it for
    what only a fused one does.
    """
    (own,) = optimizer.param_groups
    groups = [{**group, "fused": own["fused"]} for group in state["param_groups"]]
    optimizer.load_state_dict({**state, "param_groups": groups})
    (own,) = optimizer.param_groups
    if own["fused"] and own.get("momentum"):
        momenta_of(optimizer, own["params"])


def learning_rate(optimizer: Optimizer) -> float:
    """The rate that the next step uses."""
    return float(optimizer.param_groups[0]["lr"])


def weight_penalty(optimizer: Optimizer) -> float | None:
    """The term that weight decay adds to the loss: weight_decay / 2 * sum of squared weights.

    It counts the weights that the optimiser decays and is in neither reported loss. None for
    AdamW, which shrinks the weights apart from the gradient: its update is not the gradient of
    such a term (Loshchilov and Hutter 2019).
    """
    if isinstance(optimizer, AdamW):
        return None
    terms = [
        in_float64(weight.detach()).square().sum() * (group["weight_decay"] / 2)
        for group in optimizer.param_groups
        if group["weight_decay"]
        for weight in group["params"]
        if weight.requires_grad  # one that was frozen later has no gradient, so is not decayed
    ]
    return float(torch.stack(terms).sum()) if terms else 0.0
