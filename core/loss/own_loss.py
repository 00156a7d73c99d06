"""A user's own loss, asked about outputs that the training does not give it.

What a loss remembers (the steps so far, by which it changes, say) has to stay as the training
left it. So it is copied: modules and objects as they are, functions with the variables around them.
"""

from __future__ import annotations

import copy
import functools
import itertools
import types
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .loss_sum import Loss

# A loss of more parameters is a network, which may be as slow as the model.
_MOST_PARAMETERS = 10_000
# What holds no numbers of its own, or is too much to copy: data and models.
_CODE = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
_MOST_NUMBERS = 1 << 20


def loss_to_ask(loss: Loss) -> Loss | None:
    """A loss that may be asked as often as wanted; None where the one given cannot be copied."""
    loss = getattr(loss, "_orig_mod", loss)  # what torch.compile wrapped
    if isinstance(loss, nn.Module) and _numbers_in(loss) > _MOST_PARAMETERS:
        return None
    try:
        if isinstance(loss, functools.partial) and isinstance(loss.func, types.FunctionType):
            return functools.partial(_copied(loss.func), *loss.args, **loss.keywords)
        return _copied(loss) if isinstance(loss, types.FunctionType) else copy.deepcopy(loss)
    except Exception:  # noqa: BLE001 - a user's own object, which need not let itself be copied
        return None


def _copied(function: types.FunctionType) -> types.FunctionType:
    """A function that has copies of the variables that it reads or writes."""
    around = function.__globals__
    names = [name for name in function.__code__.co_names if name in around]
    cells = tuple(types.CellType(_copy_of(each)) for each in _closed_over(function))
    found = types.FunctionType(
        function.__code__,
        {**around, **{name: _copy_of(around[name]) for name in names}},
        function.__name__,
        function.__defaults__,
        cells,
    )
    found.__kwdefaults__ = function.__kwdefaults__
    return found


def _copy_of(value: Any) -> Any:
    is_large = isinstance(value, Tensor | nn.Module) and _numbers_in(value) > _MOST_NUMBERS
    return value if is_large or isinstance(value, _CODE) else copy.deepcopy(value)


def _closed_over(function: types.FunctionType) -> list[Any]:
    return [cell.cell_contents for cell in function.__closure__ or ()]


def _numbers_in(value: Tensor | nn.Module) -> int:
    tensors = value.parameters() if isinstance(value, nn.Module) else (value,)
    return sum(each.numel() for each in tensors)


def remember_the_same(one: Loss, other: Loss) -> bool:
    """Whether a loss and a copy of it still hold the same numbers."""
    pairs = itertools.zip_longest(*(_held_by(_around(each), set()) for each in (one, other)))
    try:
        return all(_are_equal(*pair) for pair in pairs)
    except RuntimeError:  # a tensor that lived only while all rows were asked at once
        return False


def _around(loss: Any) -> Any:
    """What a loss may read or write: itself, or a function's variables."""
    if isinstance(loss, functools.partial):
        return _around(loss.func), loss.args, loss.keywords
    if isinstance(loss, types.FunctionType):
        names = loss.__code__.co_names
        return [*_closed_over(loss), *(loss.__globals__.get(name) for name in names)]
    return loss


def _held_by(value: Any, seen: set[int]) -> Iterator[Any]:
    """The tensors, numbers and texts in an object, however they are nested."""
    parts = _parts_of(value)
    if parts is None:
        yield value
    elif id(value) not in seen:
        seen.add(id(value))
        for part in parts:
            yield from _held_by(part, seen)


def _parts_of(value: Any) -> Iterable[Any] | None:
    """What an object holds others in; None for a tensor, a number, a text or the like."""
    if isinstance(value, _CODE):
        return ()
    if isinstance(value, types.MethodType):
        return (value.__self__,)
    if isinstance(value, dict):
        return itertools.chain.from_iterable(value.items())
    if isinstance(value, list | tuple):
        return value
    has_parts = hasattr(value, "__dict__") and not isinstance(value, Tensor)
    return (vars(value),) if has_parts else None


def _are_equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    return type(one) is type(other) and bool(one == other)
