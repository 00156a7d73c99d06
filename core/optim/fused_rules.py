"""The update by torch's fused kernels, called without the Python around them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

Group = dict[str, Any]

# Private to torch, hence looked up by name: without them a step is `optimizer.step()`.
_KERNELS = {Adam: "_fused_adam_", AdamW: "_fused_adamw_", SGD: "_fused_sgd_"}


def fused_rule_of(
    optimizer: Optimizer, weights: list[Any]
) -> Callable[[Group, list[Tensor]], bool] | None:
    """The kernel on the weights and their state; None where torch has it no more."""
    kernel = getattr(torch, _KERNELS.get(type(optimizer), ""), None)
    if kernel is None:
        return None
    rule = _FusedSGD if isinstance(optimizer, SGD) else _FusedAdam
    return rule(kernel, optimizer, weights)


def momenta_of(sgd: Optimizer, weights: list[Any]) -> list[Tensor]:
    """The weights' momenta, from zero where there is none yet."""
    for weight in weights:
        if sgd.state[weight].get("momentum_buffer") is None:
            sgd.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
    return [sgd.state[weight]["momentum_buffer"] for weight in weights]


class _FusedAdam:
    """Calls the kernel of Adam or AdamW on its weights, as torch.optim does."""

    def __init__(
        self, kernel: Callable[..., None], optimizer: Optimizer, weights: list[Tensor]
    ) -> None:
        self._kernel = kernel
        states = [optimizer.state[weight] for weight in weights]
        self._weights = weights
        self._means = [state["exp_avg"] for state in states]
        self._squares = [state["exp_avg_sq"] for state in states]
        # one tensor that holds all counts, so that counting is one addition
        self._counts = torch.stack([state["step"] for state in states])
        self._steps = [self._counts[index] for index in range(len(states))]
        self._one = torch.ones_like(self._counts[0])
        for state, step in zip(states, self._steps, strict=True):
            state["step"] = step

    def __call__(self, group: Group, gradients: list[Tensor]) -> bool:
        beta1, beta2 = group["betas"]
        self._counts.add_(self._one)
        self._kernel(
            self._weights,
            gradients,
            self._means,
            self._squares,
            [],
            self._steps,
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
        return True


class _FusedSGD:
    """Calls the kernel of SGD on its weights, as torch.optim does."""

    def __init__(
        self, kernel: Callable[..., None], optimizer: Optimizer, weights: list[Tensor]
    ) -> None:
        self._kernel = kernel
        self._optimizer = optimizer
        self._weights = weights
        self._momenta: list[Tensor] = []

    def __call__(self, group: Group, gradients: list[Tensor]) -> bool:
        momentum = group["momentum"]
        if momentum and not self._momenta:
            self._momenta = momenta_of(self._optimizer, self._weights)
        self._kernel(
            self._weights,
            gradients,
            self._momenta if momentum else [],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            momentum=momentum,
            dampening=0.0,
            nesterov=group["nesterov"],
            maximize=False,
            is_first_step=False,
        )
        return True
