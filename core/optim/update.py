"""An optimiser's step without the Python that for small models takes most of its time."""

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

from .default_rules import default_rule_of
from .fused_rules import fused_rule_of

# What `torch.set_grad_enabled` calls in the end.
_set_grad_enabled = getattr(torch._C, "_set_grad_enabled", torch.set_grad_enabled)  # noqa: SLF001
_OWN_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
_GLOBAL_HOOKS = ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks")
# Options that no rule here knows.
_RARE_OPTIONS = ("amsgrad", "maximize", "capturable", "differentiable", "dampening")

Group = dict[str, Any]


class LeanUpdate:
    """Does what `optimizer.step()` does, to the last bit, and then sets all gradients to None.

    torch's Adam, AdamW and SGD are stepped directly: in their default form on the CPU, by their
    fused kernels elsewhere. Rate, decay and momentum are read anew at each call and
    `optimizer.state` is kept up, so that schedules, live changes and checkpoints work as ever;
    `optimizer.load_state_dict` is noticed. Whatever is unusual, such as a weight without a
    gradient, a hook on the optimiser or an option that nobody uses, is left to
    `optimizer.step()`.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._weights: list[Tensor] = []
        self._rule: Callable[[Group, list[Tensor]], bool] | None = None
        self._state: object = None  # what the rule works on
        self._hooks: list[Any] = []

    def __call__(self) -> None:
        """Take a step with the gradients that are there, then clear them."""
        if self._step_directly():
            for weight in self._weights:
                weight.grad = None
        else:
            self._step_and_prepare()

    def _step_directly(self) -> bool:
        """Apply the rule, unless something is unusual."""
        optimizer, rule = self._optimizer, self._rule
        groups = optimizer.param_groups
        if rule is None or optimizer.state is not self._state or len(groups) > 1:
            return False
        gradients = []
        for weight in self._weights:
            gradient = weight.grad
            if gradient is None:
                return False
            gradients.append(gradient)
        if any(self._hooks):
            return False
        grad_enabled = torch.is_grad_enabled()
        _set_grad_enabled(False)
        try:
            return rule(groups[0], gradients)
        finally:
            _set_grad_enabled(grad_enabled)

    def _step_and_prepare(self) -> None:
        """Let the optimiser step, which makes its state, and go on from there if that may pay."""
        optimizer = self._optimizer
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        is_complete = all(weight.grad is not None for weight in weights)
        optimizer.step()
        optimizer.zero_grad()
        self._weights, self._state = weights, optimizer.state
        self._hooks = _hooks_of(optimizer)
        self._rule = self._usual_rule() if is_complete else None

    def _usual_rule(self) -> Callable[[Group, list[Tensor]], bool] | None:
        optimizer, group = self._optimizer, self._optimizer.param_groups[0]
        is_adamw = isinstance(optimizer, AdamW)
        if (
            type(optimizer) not in (SGD, Adam, AdamW)
            or len(optimizer.param_groups) > 1
            or any(self._hooks)
            or "step" in vars(optimizer)  # somebody has wrapped it
            or any(group.get(option) for option in _RARE_OPTIONS)
            or group.get("decoupled_weight_decay", is_adamw) != is_adamw
            or any(isinstance(option, Tensor) for option in _options_of(group))
            or len({(weight.device, weight.dtype) for weight in self._weights}) > 1
        ):
            return None
        rule_of = fused_rule_of if group["fused"] else default_rule_of
        return rule_of(optimizer, self._weights)


def _hooks_of(optimizer: Optimizer) -> list[Any]:
    """All collections of hooks that `step()` calls; they are filled and emptied in place."""
    own, everyone = vars(optimizer), vars(sys.modules[Optimizer.__module__])
    hooks = [own.get(name, "?") for name in _OWN_HOOKS]
    return hooks + [everyone.get(name, "?") for name in _GLOBAL_HOOKS]


def _options_of(group: Group) -> list[Any]:
    return [*group.values(), *group.get("betas", ())]
