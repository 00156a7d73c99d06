"""What a loader's batch holds, and where a model's outputs have the logits.

A batch of inputs and a target, or a dict with a target among its keys, needs no words of the
user's own; a task's `forward` covers all others.
"""

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

import torch
from torch import Tensor

from .task_wording import described, task_error

TARGET_KEYS = ("target", "targets", "label", "labels", "y")
_OR_FORWARD = "or a `forward` in the Task for everything else"


def split_batch(batch: Any) -> tuple[tuple[Any, ...], dict[str, Any], Tensor]:
    """What the model is called with, positional and by name, and the targets.

    Args:
        batch: a tuple or list whose last item is the target and whose others are the model's
            positional arguments; or a mapping in which one of `TARGET_KEYS` is the target and
            the others are the model's arguments by name.

    Raises:
        TaskError: the batch is neither.
    """
    if isinstance(batch, Mapping):
        return _split_mapping(batch)
    if isinstance(batch, tuple | list) and len(batch) > 1:
        return tuple(batch[:-1]), {}, _target(batch[-1], "the last item of a batch")
    raise task_error(
        "a batch",
        described(batch),
        f"a tuple of the model's inputs and the target, a dict of both, {_OR_FORWARD}",
    )


def logits_of(outputs: Any) -> Tensor:
    """The tensor that the loss takes, of a model that may return more.

    Args:
        outputs: a tensor; an object or mapping with `logits`, such as Hugging Face's; or a tuple
            or list whose first item is the tensor.

    Raises:
        TaskError: there is no such tensor.
    """
    if isinstance(outputs, Tensor):
        return outputs
    if isinstance(outputs, Mapping):
        logits = outputs.get("logits")
    else:
        logits = getattr(outputs, "logits", None)
    if logits is None and isinstance(outputs, tuple | list) and outputs:
        logits = outputs[0]
    if isinstance(logits, Tensor):
        return logits
    allowed = f"a tensor, `logits`, a tuple that begins with the tensor, {_OR_FORWARD}"
    raise task_error("the model's outputs", described(outputs), allowed)


def to_device(batch: Any, device: torch.device) -> Any:
    """The same batch with all its tensors on a device, however they are nested.

    Args:
        batch: tensors and objects with a `to` of their own, in tuples, lists and mappings; what
            is none of them stays as it is.
        device: tensors in pinned memory go there while the caller goes on.
    """
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=batch.is_pinned())
    if callable(getattr(batch, "to", None)):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return like(batch, {key: to_device(value, device) for key, value in batch.items()})
    if isinstance(batch, tuple | list):
        return like(batch, [to_device(item, device) for item in batch])
    return batch


def rows_of(targets: Tensor) -> int:
    """The rows of a batch: the first dimension of its targets.

    Raises:
        TaskError: the targets have none.
    """
    if targets.ndim:
        return targets.shape[0]
    raise task_error("the target of a batch", described(targets), "a dimension of rows")


def joined(parts: list[Any]) -> Any:
    """The rows of several batches as one, however their tensors are nested; None for none.

    Raises:
        TaskError: the batches differ in more than their rows.
    """
    if not parts:
        return None
    first = parts[0]
    if isinstance(first, Tensor) and first.ndim and len({part.shape[1:] for part in parts}) == 1:
        return torch.cat(parts) if len(parts) > 1 else first
    if isinstance(first, Mapping):
        return like(first, {key: joined([part[key] for part in parts]) for key in first})
    if isinstance(first, tuple | list):
        return like(first, [joined(list(items)) for items in zip(*parts, strict=True)])
    found = " and ".join(dict.fromkeys(described(part) for part in parts[:10]))
    allowed = (
        "batches of one shape but for their rows; a metric object (reset, update, compute) takes "
        "others batch by batch"
    )
    raise task_error("outputs and targets of all batches", found, allowed)


def like(container: Any, items: dict[Any, Any] | list[Any]) -> Any:
    """Items in a container of the same kind, so that a `forward` finds what it knows.

    Args:
        container: a mapping, for items by key; a tuple (also a named one) or list for a list.
        items: what to put in.
    """
    if isinstance(container, MutableMapping):
        filled = copy.copy(container)
        for key in container:  # Hugging Face's outputs take no update
            filled[key] = items[key]
        return filled
    if isinstance(container, Mapping):
        return items
    return type(container)(*items) if hasattr(container, "_fields") else type(container)(items)


def _split_mapping(batch: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], Tensor]:
    keys = [key for key in TARGET_KEYS if key in batch]
    if len(keys) != 1 or len(batch) == 1:
        allowed = f"the model's inputs and one of {', '.join(TARGET_KEYS)}, {_OR_FORWARD}"
        raise task_error("a batch", described(batch), allowed)
    named = {key: value for key, value in batch.items() if key != keys[0]}
    return (), named, _target(batch[keys[0]], f"'{keys[0]}' of a batch")


def _target(target: Any, where: str) -> Tensor:
    if isinstance(target, Tensor):
        return target
    raise task_error(where, described(target), f"a tensor of targets, {_OR_FORWARD}")
