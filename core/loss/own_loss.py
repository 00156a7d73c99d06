"""Which losses that a user wrote may be asked about outputs that the training does not give them.

What a loss remembers (the steps so far, by which it changes, say), prints or sends must be as if
nobody had asked. So its code is read first, and that of all the user's functions that it calls:
where any of it writes to something beyond its own variables, or uses anything but torch, math and
plain numbers, the loss is not asked. In doubt it is not asked either.
"""

from __future__ import annotations

import builtins
import copy
import dis
import functools
import itertools
import math
import types
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .loss_sum import Loss

# More parameters are a network, which may be as slow as the model; more numbers are data.
_MOST_PARAMETERS, _MOST_NUMBERS = 10_000, 1 << 20
_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.Size)
_HARMLESS_PACKAGES = frozenset({"torch", "math"})
# fmt: off
_HARMLESS_BUILTINS = frozenset({
    "abs", "all", "any", "bool", "dict", "enumerate", "float", "getattr", "hasattr", "int",
    "isinstance", "len", "list", "max", "min", "pow", "range", "reversed", "round", "slice",
    "sorted", "str", "sum", "super", "tuple", "type", "zip",
})
_WRITES = frozenset({
    "STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR", "STORE_SUBSCR", "DELETE_SUBSCR",
    "IMPORT_NAME",
})
_WRITING_METHODS = frozenset({
    "append", "appendleft", "clear", "extend", "insert", "pop", "popitem", "popleft", "remove",
    "setdefault", "update", "register_buffer", "register_forward_hook", "__setattr__", "backward",
    "manual_seed",
})
# fmt: on
# What they have in common that average what they see, or draw.
_MOVING_MODULES = (nn.modules.batchnorm._NormBase, nn.modules.dropout._DropoutNd)  # noqa: SLF001
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_OF_EVERY_MODULE = frozenset(vars(nn.Module())) - {"_parameters", "_buffers", "_modules"}


def loss_to_ask(loss: Loss) -> Loss | None:
    """A copy of a loss, which may be asked as often as wanted; None for no such one."""
    if not may_be_asked(loss):
        return None
    try:
        return asked_on_copies(copy.deepcopy(uncompiled(loss)))
    except Exception:  # noqa: BLE001 - a user's own object, which need not let itself be copied
        return None


def may_be_asked(loss: Loss) -> bool:
    """Whether nothing but the time shows that a loss was called."""
    try:
        return _is_harmless(uncompiled(loss), set())
    except Exception:  # noqa: BLE001 - a user's own object, which need not let itself be looked at
        return False


def uncompiled(loss: Loss) -> Loss:
    """What torch.compile wrapped, or the loss itself."""
    for name in ("_orig_mod", "_torchdynamo_orig_callable"):
        loss = getattr(loss, name, loss)
    return loss


def asked_on_copies(loss: Loss) -> Loss:
    """An uncompiled loss that may work in place: outputs and targets stay as they are."""
    loss = uncompiled(loss)
    return lambda outputs, targets: loss(outputs.clone(), targets.clone())


def _is_harmless(value: Any, seen: set[int]) -> bool:
    if isinstance(value, _PLAIN) or id(value) in seen:
        return True
    seen.add(id(value))
    if isinstance(value, Tensor):
        return value.numel() <= _MOST_NUMBERS
    if isinstance(value, types.ModuleType | types.BuiltinFunctionType | type):
        return isinstance(value, type) or _is_of_harmless_package(value)
    if isinstance(value, types.FunctionType):
        return _is_of_harmless_package(value) or _is_harmless_function(value, seen)
    if isinstance(value, nn.Module) and not _is_harmless_module(value):
        return False
    parts = _parts_of(value)
    return parts is not None and all(_is_harmless(each, seen) for each in parts)


def _is_of_harmless_package(value: Any) -> bool:
    name = getattr(value, "__name__", "")
    if getattr(value, "__module__", None) == "builtins":
        return name in _HARMLESS_BUILTINS
    of = name if isinstance(value, types.ModuleType) else str(getattr(value, "__module__", ""))
    return of.partition(".")[0] in _HARMLESS_PACKAGES or getattr(math, name, None) is value


def _is_harmless_module(module: nn.Module) -> bool:
    moves = any(isinstance(each, _MOVING_MODULES) for each in module.modules())
    hooks = any(getattr(each, name, None) for each in module.modules() for name in _HOOKS)
    parameters = sum(each.numel() for each in module.parameters())
    return not moves and not hooks and parameters <= _MOST_PARAMETERS


def _is_harmless_function(function: types.FunctionType, seen: set[int]) -> bool:
    """Whether its code writes nowhere, and what it refers to is harmless."""
    steps = list(_steps_of(function.__code__))
    if any(_writes(step, function.__code__.co_freevars) for step in steps):
        return False
    if _changes_arguments(function.__code__):
        return False
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    named = (_named(str(step.argval), function) for step in steps if step.opname == "LOAD_GLOBAL")
    given = (function.__defaults__ or (), function.__kwdefaults__ or {}, vars(function))
    return all(_is_harmless(each, seen) for each in (*cells, *named, *given))


def _writes(step: dis.Instruction, outside: tuple[str, ...]) -> bool:
    name = str(step.argval)
    if step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
        works_in_place = name.endswith("_") and not name.endswith("__")
        return works_in_place or name in _WRITING_METHODS
    return step.opname in _WRITES or (step.opname == "STORE_DEREF" and name in outside)


def _changes_arguments(code: types.CodeType) -> bool:
    """Whether it says `outputs -= targets`, by which what the caller holds is another tensor."""
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    pairs = itertools.pairwise(dis.get_instructions(code))
    return any(
        step.opname == "BINARY_OP" and step.argrepr.endswith("=") and then.argval in arguments
        for step, then in pairs
    )


def _steps_of(code: types.CodeType) -> Iterator[dis.Instruction]:
    """The steps of a function, and of those within it."""
    yield from dis.get_instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _steps_of(constant)


def _named(name: str, function: types.FunctionType) -> Any:
    """What a name stands for in a function; an object that nobody knows for none at all."""
    return function.__globals__.get(name, getattr(builtins, name, object))


def _parts_of(value: Any) -> Iterable[Any] | None:
    """What an object is made of; None for a kind that nobody knows."""
    if isinstance(value, functools.partial):
        return (value.func, value.args, value.keywords)
    if isinstance(value, types.MethodType):
        return (value.__self__, value.__func__)
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    if isinstance(value, list | tuple):
        return value
    if not hasattr(value, "__dict__"):
        return None
    left_out = _OF_EVERY_MODULE if isinstance(value, nn.Module) else frozenset()
    members = [member for name, member in vars(value).items() if name not in left_out]
    own = [kind for kind in type(value).__mro__ if not _is_of_harmless_package(kind)]
    methods = [method for kind in own if kind is not object for method in _methods_of(kind)]
    return (*members, *methods)


def _methods_of(kind: type) -> Iterator[Any]:
    """A class's functions, but for the one that makes its objects."""
    for name, member in vars(kind).items():
        if isinstance(member, staticmethod | classmethod):
            yield member.__func__
        elif isinstance(member, property):
            yield member.fget
        elif isinstance(member, types.FunctionType) and name != "__init__":
            yield member
