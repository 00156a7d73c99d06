"""The optimiser and the learning rate's schedule that the settings describe."""

from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

from .precision import in_float64
from .settings import OptimSettings


def build_optimizer(settings: OptimSettings, model: nn.Module) -> torch.optim.Optimizer:
    """Build torch's own optimiser over all weights, in its fused form where there is one."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    fused = all(weight.device.type in ("cpu", "cuda", "mps") for weight in weights)
    match settings.name:
        case "sgd":
            return torch.optim.SGD(
                weights,
                lr=settings.lr,
                momentum=settings.momentum,
                weight_decay=settings.weight_decay,
                fused=fused,
            )
        case "adamw":
            return torch.optim.AdamW(
                weights, lr=settings.lr, weight_decay=settings.weight_decay, fused=fused
            )
        case "adam":
            return torch.optim.Adam(
                weights, lr=settings.lr, weight_decay=settings.weight_decay, fused=fused
            )


def build_schedule(
    settings: OptimSettings, optimizer: torch.optim.Optimizer, *, epochs: int
) -> LRScheduler | None:
    """Build the schedule, stepped once an epoch; None when the rate is constant."""
    if settings.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=epochs)
    return None


def learning_rate(optimizer: torch.optim.Optimizer) -> float:
    """The rate that the next step uses."""
    return float(optimizer.param_groups[0]["lr"])


def weight_penalty(settings: OptimSettings, weights: Iterable[torch.Tensor]) -> float | None:
    """The term that weight decay adds to the loss: weight_decay / 2 * sum of squared weights.

    It is in neither reported loss. None for adamw, which shrinks the weights apart from the
    gradient: its update is not the gradient of such a term (Loshchilov and Hutter 2019).
    """
    if settings.name == "adamw":
        return None
    if settings.weight_decay == 0:
        return 0.0
    squares = [in_float64(weight.detach()).square().sum() for weight in weights]
    return settings.weight_decay / 2 * float(torch.stack(squares).sum())
