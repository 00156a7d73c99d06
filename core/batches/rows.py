"""Rows in memory as batches.

Where a batch begins in memory decides how a matrix product of torch's rounds. So a batch lies at
the same place in its vector whether the epoch began before it or goes on there, and rows that
numpy has put anywhere are moved to where torch puts its own.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..batch import logits_of
from ..data.dataset import Split
from ..loss.accounting import Accounting
from ..seeds import epoch_order
from .source import Batch, BatchPlan

Weights = npt.NDArray[np.float64]

# Rows that are put into an epoch's order at a time: large enough that the calls do not count,
# small enough that a large set is not held twice.
_ORDERED_BYTES = 256 << 20
# Rows of one forward pass in evaluation mode: large enough that the calls do not count.
EVALUATION_ROWS = 2048
# Where torch's own tensors begin on the CPU: at a multiple of so many bytes.
_ALIGNMENT = 64
# Larger arrays have pages of their own, so that they begin at the same place in each process.
_BYTES_ON_OWN_PAGES = 64 << 20
# What a layer returns of them, or takes: small enough to stay in a processor's cache.
_EVALUATION_BYTES = 8 << 20


class Rows:
    """Rows in memory, on the model's device.

    Permuting an epoch's rows once and splitting them is many times faster than collecting each
    batch by itself.
    """

    data_seconds: float | None = None

    def __init__(self, split: Split, accounting: Accounting, plan: BatchPlan) -> None:
        self.split = Split(_aligned(split.inputs), _aligned(split.targets))
        self.forward = plan.forward or _forward_rows
        self._accounting = accounting
        self._plan = plan
        # a forward of the task's own may give the loss other targets than these
        weights = None if plan.forward else accounting.row_weights(split.targets)
        self._weights = None if weights is None else weights.cpu().numpy()
        # the usual case: every row counts the same, and nothing has to be summed
        self._row_weight = _common_value(self._weights)
        self._has_warned = False
        self.evaluation_rows = EVALUATION_ROWS

    @property
    def has_own_forward(self) -> bool:
        """Whether `forward` is the task's own, which knows the loss's targets alone."""
        return self._plan.forward is not None

    @property
    def num_rows(self) -> int:
        """The rows of the split."""
        return len(self.split)

    @property
    def num_batches(self) -> int:
        """The batches of an epoch."""
        return len(self._sizes())

    @property
    def batch_rows(self) -> int:
        """The rows of every batch but the last."""
        return self._plan.batch_size

    @property
    def total_weight(self) -> float | None:
        """The denominator of the whole split, None when only the loss can tell."""
        return None if self._weights is None else float(self._weights.sum())

    def epoch(
        self, epoch: int, skip: int = 0, on_skip: Callable[[], None] = lambda: None
    ) -> Iterator[Batch]:
        """The batches of an epoch in its own order, without the first `skip` of them."""
        del on_skip  # nothing has to be loaded
        sizes = self._sizes()
        if sizes and sizes[-1] > self._plan.batch_size:
            self._warn_of_joined_row()
        order = epoch_order(len(self.split), seed=self._plan.seed, epoch=epoch)
        yield from self._batches(sizes, order, skip)

    def in_order(self) -> Iterator[Batch]:
        """All rows as they lie, in batches for evaluation."""
        full, rest = divmod(len(self.split), self.evaluation_rows)
        yield from self._batches([self.evaluation_rows] * full + [rest] * bool(rest), None)

    def bound_evaluation(self, row_bytes: int) -> None:
        """Have no pass in evaluation mode take more memory than one that learns.

        Args:
            row_bytes: the size of the largest tensor that the model makes of one row.
        """
        affordable = _EVALUATION_BYTES // max(1, row_bytes, self._row_bytes())
        self.evaluation_rows = min(EVALUATION_ROWS, max(self._plan.batch_size, affordable))

    def sample(self, rows: int | None, seed: int) -> "Rows":
        """As many rows, always the same, or all of fewer."""
        if rows is None or len(self.split) <= rows:
            return self
        chosen = epoch_order(len(self.split), seed=seed, epoch=0)[:rows].to(self._plan.device)
        split = Split(self.split.inputs[chosen], self.split.targets[chosen])
        sample = Rows(split, self._accounting, self._plan)
        sample.evaluation_rows = self.evaluation_rows
        return sample

    def inputs_of(self, content: Any) -> torch.Tensor | None:
        """A batch's inputs, unless a `forward` of the task's own takes them."""
        inputs: torch.Tensor = content[0]
        return None if self.has_own_forward else inputs

    def close(self) -> None:
        """Nothing goes on between epochs."""

    def first_rows(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The first rows as they lie: a batch's content."""
        return self.split.inputs[:rows], self.split.targets[:rows]

    def _sizes(self) -> list[int]:
        """The rows of each batch; a last one of a single row joins the one before if it must."""
        full, rest = divmod(len(self.split), self._plan.batch_size)
        sizes = [self._plan.batch_size] * full + [rest] * bool(rest)
        if self._plan.needs_two_rows and rest == 1 and full:
            sizes[-2:] = [self._plan.batch_size + 1]
        return sizes

    def _warn_of_joined_row(self) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._plan.warn(
                "batch normalisation takes no batch of one row: the last row of each epoch joins "
                "the batch before it"
            )

    def _batches(
        self, sizes: list[int], order: torch.Tensor | None, skip: int = 0
    ) -> Iterator[Batch]:
        start = 0
        for group in _in_groups(sizes, self._rows_at_a_time()):
            if skip < len(group):
                yield from itertools.islice(self._group(group, start, order), skip, None)
            start += sum(group)
            skip = max(0, skip - len(group))

    def _group(self, sizes: list[int], start: int, order: torch.Tensor | None) -> Iterator[Batch]:
        """The batches of these sizes, whose rows are put in order at once."""
        split, weights = self._ordered(start, sum(sizes), order)
        for inputs, targets, size, denominator in zip(
            torch.split(split.inputs, sizes),
            torch.split(split.targets, sizes),
            sizes,
            self._denominators(sizes, weights),
            strict=True,
        ):
            yield Batch((inputs, targets), size, denominator)

    def _ordered(
        self, start: int, rows: int, order: torch.Tensor | None
    ) -> tuple[Split, Weights | None]:
        """The next rows of an order, and their weights unless all are the same."""
        weights = None if self._row_weight is not None else self._weights
        if order is None:
            chosen = slice(start, start + rows)
            split = Split(self.split.inputs[chosen], self.split.targets[chosen])
            return split, None if weights is None else weights[chosen]
        picked = order[start : start + rows]
        there = picked.to(self._plan.device)
        split = Split(self.split.inputs[there], self.split.targets[there])
        return split, None if weights is None else weights[picked.numpy()]

    def _denominators(
        self, sizes: Sequence[int], weights: Weights | None
    ) -> list[float] | list[None]:
        if self._row_weight is not None:
            return [self._row_weight * size for size in sizes]
        if weights is None:
            return [None] * len(sizes)
        starts = np.cumsum([0, *sizes[:-1]])
        return [float(total) for total in np.add.reduceat(weights, starts)]

    def _rows_at_a_time(self) -> int:
        return max(1, _ORDERED_BYTES // max(1, self._row_bytes()))

    def _row_bytes(self) -> int:
        inputs = self.split.inputs
        return inputs.element_size() * math.prod(inputs.shape[1:])


def _forward_rows(model: nn.Module, content: Any) -> tuple[Any, torch.Tensor]:
    inputs, targets = content
    return logits_of(model(inputs)), targets


def _aligned(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers where torch would have put them, unless they lie there already."""
    if not tensor.is_cpu or tensor.nbytes > _BYTES_ON_OWN_PAGES:
        return tensor
    return tensor.clone() if tensor.untyped_storage().data_ptr() % _ALIGNMENT else tensor


def _in_groups(sizes: list[int], rows_at_a_time: int) -> Iterator[list[int]]:
    """The batches' sizes in groups of about so many rows, at least one batch each."""
    if not sizes:
        return
    step = max(1, rows_at_a_time // sizes[0])
    for start in range(0, len(sizes), step):
        yield sizes[start : start + step]


def _common_value(weights: Weights | None) -> float | None:
    if weights is None or not len(weights) or not (weights == weights[0]).all():
        return None
    return float(weights[0])
