"""What torch's Adam, AdamW and SGD do in their default form on the CPU, to the last bit.

Their fused kernels would be faster still but round otherwise, and training amplifies such a
difference until the losses differ. Every operation below is torch's own and treats each number
by itself, so that it may as well be applied to all weights at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

Group = dict[str, Any]
State = dict[str, Tensor]
# Takes a step with a group's options and the gradients; False where only `step()` can take it.
Rule = Callable[[Group, list[Tensor]], bool]

# Fewer numbers than this and a call of torch's costs more than what it computes.
_FEW_NUMBERS = 1 << 16
# Private to torch, hence looked up by name: without them a step is `optimizer.step()`.
_add: Any = getattr(torch, "_foreach_add", None)
_add_: Any = getattr(torch, "_foreach_add_", None)
_mul_: Any = getattr(torch, "_foreach_mul_", None)
_lerp_: Any = getattr(torch, "_foreach_lerp_", None)
_addcmul_: Any = getattr(torch, "_foreach_addcmul_", None)
_addcdiv_: Any = getattr(torch, "_foreach_addcdiv_", None)


def default_rule_of(optimizer: Optimizer, weights: list[Tensor]) -> Rule | None:
    """How the weights of an optimiser's one group are stepped; None where `step()` must do it.

    Args:
        optimizer: its state is there, as after a step of its own.
        weights: all of one type.
    """
    if None in (_add, _add_, _mul_, _lerp_, _addcmul_, _addcdiv_):
        return None
    if optimizer.param_groups[0]["foreach"] or not all(_is_usual(weight) for weight in weights):
        return None
    states = [optimizer.state.get(weight, {}) for weight in weights]
    if isinstance(optimizer, SGD):
        return _SGD(weights, states)
    if len({state["step"].item() for state in states}) > 1:
        return None
    return _Adam(weights, states, is_decoupled=isinstance(optimizer, AdamW))


class _Adam:
    """Adam and AdamW, operation by operation as in torch.optim.adam.

    Most of a step's time goes into calls and not into numbers. Hence each moment is one vector
    for all weights, in the optimiser's state as views of it. Scalars are tensors of no
    dimensions, which torch need not convert at each call, and written through numpy. For a few
    numbers numpy's products, quotients and sums come sooner, and are rounded alike; its roots
    are not.
    """

    def __init__(self, weights: list[Tensor], states: list[State], *, is_decoupled: bool) -> None:
        self._is_decoupled = is_decoupled
        self._weights = weights
        _, self._means = join(states, "exp_avg")
        self._square, self._squares = join(states, "exp_avg_sq")
        self._denominator = torch.empty_like(self._square)
        self._denominators = _views(self._denominator, weights)
        self._is_small = self._square.numel() < _FEW_NUMBERS
        self._square_values = self._square.numpy()
        self._denominator_values = self._denominator.numpy()
        self._counts = join(states, "step")[0].numpy()
        self._one = np.ones_like(self._counts)
        scalars = torch.empty(4, dtype=self._square.dtype)
        self._scalars = scalars.numpy()
        self._beta2, self._correction, self._eps, self._shrinking = scalars.unbind()

    def __call__(self, group: Group, gradients: list[Tensor]) -> bool:
        counts = set(self._counts.tolist())
        if len(counts) > 1:  # somebody has called `step()` while a weight had no gradient
            return False
        np.add(self._counts, self._one, self._counts)
        step, lr, weight_decay = counts.pop() + 1, group["lr"], group["weight_decay"]
        beta1, beta2 = group["betas"]
        scalars = self._scalars
        scalars[0], scalars[1], scalars[2] = beta2, (1 - beta2**step) ** 0.5, group["eps"]
        if weight_decay != 0:
            if self._is_decoupled:
                scalars[3] = 1 - lr * weight_decay
                _mul_(self._weights, self._shrinking)
            else:
                gradients = _add(gradients, self._weights, alpha=weight_decay)
        _lerp_(self._means, gradients, 1 - beta1)
        if self._is_small:
            np.multiply(self._square_values, scalars[0], self._square_values)
        else:
            self._square.mul_(self._beta2)
        _addcmul_(self._squares, gradients, gradients, 1 - beta2)
        torch.sqrt(self._square, out=self._denominator)
        if self._is_small:
            np.divide(self._denominator_values, scalars[1], self._denominator_values)
            np.add(self._denominator_values, scalars[2], self._denominator_values)
        else:
            self._denominator.div_(self._correction).add_(self._eps)
        _addcdiv_(self._weights, self._means, self._denominators, -(lr / (1 - beta1**step)))
        return True


class _SGD:
    """SGD, operation by operation as in torch.optim.sgd; the momenta are one vector, too."""

    def __init__(self, weights: list[Tensor], states: list[State]) -> None:
        self._weights = weights
        self._momenta: list[Tensor] = []
        buffers = [state.get("momentum_buffer") for state in states]
        # sparse gradients begin sparse ones
        if all(buffer is not None and buffer.layout is torch.strided for buffer in buffers):
            self._momentum, self._momenta = join(states, "momentum_buffer")
            scalar = torch.empty((), dtype=self._momentum.dtype)
            self._factor, self._factor_value = scalar, scalar.numpy()

    def __call__(self, group: Group, gradients: list[Tensor]) -> bool:
        momentum, weight_decay = group["momentum"], group["weight_decay"]
        momenta = self._momenta
        if momentum != 0 and not momenta:  # they begin in the optimiser's own step
            return False
        if weight_decay != 0:
            gradients = _add(gradients, self._weights, alpha=weight_decay)
        if momentum != 0:
            self._factor_value[()] = momentum
            self._momentum.mul_(self._factor)
            _add_(momenta, gradients)
            is_nesterov = group["nesterov"]
            gradients = _add(gradients, momenta, alpha=momentum) if is_nesterov else momenta
        _add_(self._weights, gradients, alpha=-group["lr"])
        return True


def join(states: list[State], name: str) -> tuple[Tensor, list[Tensor]]:
    """Make one vector of the states' tensors of a name, and those views of it.

    Returns:
        The vector and the views. torch writes the vector to a file only once.
    """
    tensors = [state[name] for state in states]
    joined = torch.cat([tensor.reshape(-1) for tensor in tensors])
    views = _views(joined, tensors)
    for state, view in zip(states, views, strict=True):
        state[name] = view
    return joined, views


def _views(joined: Tensor, like: list[Tensor]) -> list[Tensor]:
    """The parts of a vector in the shapes of other tensors."""
    parts = torch.split(joined, [tensor.numel() for tensor in like])
    return [part.view(tensor.shape) for part, tensor in zip(parts, like, strict=True)]


def _is_usual(weight: Tensor) -> bool:
    """Whether its numbers lie as a whole on the CPU, in a type in which torch also computes."""
    return (
        type(weight) in (Tensor, nn.Parameter)
        and weight.layout is torch.strided
        and weight.is_cpu
        and weight.dtype in (torch.float32, torch.float64)
        and weight.is_contiguous()
    )
