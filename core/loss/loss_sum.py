"""The losses of a split's batches, added up exactly.

The field's usual mistakes are a mean of batch means (wrong when the last batch is smaller, or when
classes are weighted or ignored) and a float32 running sum (off by percents after a million
steps). Here each batch counts with its own denominator, the sums are in float64, and the device
is read once an epoch.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..data.dataset import Dataset
from ..precision import in_float64
from .accounting import Accounting, exact_mean

Loss = Callable[[Any, Tensor], Tensor]
# Batches whose losses are kept on the device at most: a long epoch must not fill it.
_BATCHES_ON_DEVICE = 4096


def build_loss(dataset: Dataset) -> nn.Module:
    """The mean cross-entropy of classes, or the mean squared error of standardised numbers."""
    return nn.CrossEntropyLoss() if dataset.problem == "classification" else nn.MSELoss()


class LossSum:
    """The losses of batches and what each counts; they stay on the device until they are read."""

    def __init__(self, losses: Sequence[float] = (), denominators: Sequence[float] = ()) -> None:
        self.losses = list(losses)
        self.denominators = list(denominators)
        self.pending: list[tuple[Tensor, float | Tensor]] = []

    def __len__(self) -> int:
        """The batches taken in."""
        return len(self.losses) + len(self.pending)

    def add(self, loss: Tensor, denominator: float | Tensor) -> None:
        """Take in a batch's loss, of no dimensions, and its denominator.

        The loss may still know how it was computed, if its gradients have been taken: what that
        needed is free by then, and to cut it loose at every step costs more than to do so once.
        """
        self.pending.append((loss, denominator))
        if len(self.pending) >= _BATCHES_ON_DEVICE:
            read_from_device(self)

    def add_all(self, others: "LossSum") -> None:
        """Take in the batches of another sum."""
        if others.losses:  # of more batches than stay on the device
            read_from_device(self)
            self.losses += others.losses
            self.denominators += others.denominators
        for pair in others.pending:
            self.add(*pair)

    def mean(self, accounting: Accounting) -> float:
        """The mean over all that was read; nan if nothing counted."""
        pairs = zip(self.losses, self.denominators, strict=True)
        return exact_mean([accounting.numerator(*pair) for pair in pairs], self.denominators)

    def unread(self) -> list[Tensor]:
        """What is still on the device."""
        return [item for pair in self.pending for item in pair if isinstance(item, Tensor)]

    def take(self, values: Iterator[float]) -> None:
        """Take the values of what was still on the device."""
        for _, known in self.pending:
            self.losses.append(next(values))
            self.denominators.append(next(values) if isinstance(known, Tensor) else known)
        self.pending.clear()


@torch.no_grad()
def read_from_device(*sums: LossSum) -> None:
    """Read what is still on the device, of all sums in one go."""
    tensors = [tensor for each in sums for tensor in each.unread()]
    if not tensors:
        return
    if any(tensor.dtype != tensors[0].dtype for tensor in tensors):
        tensors = [in_float64(tensor) for tensor in tensors]
    values = iter(in_float64(torch.stack(tensors)).tolist())
    for each in sums:
        each.take(values)
