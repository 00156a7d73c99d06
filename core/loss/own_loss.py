"""A user's own loss, asked about outputs that the training does not give it.

What a loss remembers (the steps so far, by which it changes, say) has to stay as the training
left it. So modules and objects are copied, and a function that writes to variables outside it is
not asked at all.
"""

from __future__ import annotations

import copy
import dis
import functools
import inspect
import itertools
import types
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .loss_sum import Loss

# A loss of more parameters is a network, which may be as slow as the model.
_MOST_PARAMETERS = 10_000


def loss_to_ask(loss: Loss) -> Loss | None:
    """A loss that may be asked as often as wanted; None where that may change the one given."""
    loss = getattr(loss, "_orig_mod", loss)  # what torch.compile wrapped
    if _is_a_network(loss) or _writes_elsewhere(loss):
        return None
    try:
        return copy.deepcopy(loss)
    except Exception:  # noqa: BLE001 - a user's own object, which need not let itself be copied
        return None


def remember_the_same(one: Loss, other: Loss) -> bool:
    """Whether a loss and a copy of it still hold the same numbers."""
    pairs = itertools.zip_longest(_held_by(one, set()), _held_by(other, set()))
    return all(_are_equal(*pair) for pair in pairs)


def _held_by(value: Any, seen: set[int]) -> Iterator[Any]:
    """The tensors, numbers and texts in an object, however they are nested."""
    if id(value) in seen or isinstance(value, type | types.FunctionType | types.ModuleType):
        return
    parts: Iterable[Any] = ()
    if isinstance(value, functools.partial):
        parts = (value.func, value.args, value.keywords)
    elif isinstance(value, types.MethodType):
        parts = (value.__self__,)
    elif isinstance(value, dict):
        parts = itertools.chain.from_iterable(value.items())
    elif isinstance(value, list | tuple):
        parts = value
    elif hasattr(value, "__dict__") and not isinstance(value, Tensor):
        parts = (vars(value),)
    else:
        yield value
        return
    seen.add(id(value))
    for part in parts:
        yield from _held_by(part, seen)


def _are_equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    return type(one) is type(other) and bool(one == other)


def _is_a_network(loss: Loss) -> bool:
    weights = loss.parameters() if isinstance(loss, nn.Module) else ()
    return sum(weight.numel() for weight in weights) > _MOST_PARAMETERS


def _writes_elsewhere(loss: Loss) -> bool:
    """Whether a function assigns to `global` or `nonlocal` variables."""
    function: Any = inspect.unwrap(loss.func if isinstance(loss, functools.partial) else loss)
    if not isinstance(function, types.FunctionType):
        return False
    outside = function.__code__.co_freevars
    return any(
        step.opname == "STORE_GLOBAL" or (step.opname == "STORE_DEREF" and step.argval in outside)
        for step in dis.get_instructions(function)
    )
