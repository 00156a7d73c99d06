"""Targets that are class indices, counted: how many of each, and what each row weighs."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import LossError
from ..precision import in_float64

# Targets looked at in one go: in float64 they take 32 MiB.
CHUNK_ELEMENTS = 1 << 22


def row_chunks(targets: Tensor) -> Sequence[Tensor]:
    """Views of the targets' rows, few enough each to compute with in float64."""
    elements = max(1, math.prod(targets.shape[1:]))
    return torch.split(targets, max(1, CHUNK_ELEMENTS // elements))


def weights_of_classes(targets: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor:
    """Each row's sum of weight[class] over its targets that are not ignored.

    Args:
        targets: class indices of shape (rows, ...).
        weight: of shape (classes,); None weighs each class 1.
        ignore_index: the class that weighs 0, whatever its weight.

    Returns:
        float64 of shape (rows,) on the targets' device (on the CPU for mps).

    Raises:
        LossError: a class that has no weight.
    """
    if weight is not None:
        weight = weight.detach().to(targets.device)
    chunks = [_weights_of_chunk(chunk, weight, ignore_index) for chunk in row_chunks(targets)]
    return torch.cat(chunks)


def class_counts(targets: Tensor, num_classes: int, ignore_index: int) -> Tensor:
    """How many targets each class has, the ignored ones left out.

    Args:
        targets: class indices of any shape.
        num_classes: classes are 0 to `num_classes` - 1.
        ignore_index: what is not counted.

    Returns:
        float64 of shape (num_classes,) on the CPU.

    Raises:
        LossError: a class beyond those.
    """
    counts = torch.zeros(num_classes, dtype=torch.float64)
    for chunk in row_chunks(targets):
        classes = chunk[chunk != ignore_index].long()
        _check_range(classes, num_classes)
        counts += torch.bincount(classes, minlength=num_classes).cpu()
    return counts


def _weights_of_chunk(targets: Tensor, weight: Tensor | None, ignore_index: int) -> Tensor:
    rows = targets.unsqueeze(1).flatten(1)
    counts = rows != ignore_index
    if weight is None:
        return in_float64(counts.sum(1))
    classes = rows.long().where(counts, 0)
    # On a GPU the check would wait for the device at every batch; torch's own loss reports there.
    if classes.device.type == "cpu":
        _check_range(classes, len(weight))
    return (in_float64(weight[classes]) * in_float64(counts)).sum(1)


def _check_range(classes: Tensor, num_classes: int) -> None:
    if not classes.numel():
        return
    lowest, highest = (int(one) for one in classes.aminmax())
    if lowest < 0 or highest >= num_classes:
        raise LossError(
            f"targets: found class {lowest if lowest < 0 else highest}; allowed: 0 to "
            f"{num_classes - 1}, the model's outputs or the loss's weights, and what the loss "
            "ignores"
        )
