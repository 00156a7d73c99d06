"""A split as a source of batches.

What an epoch visits, and in which order, depends on the seed and the epoch alone. So a run that
goes on within an epoch skips the batches that it has learnt from and gets the others as they
would have come.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from ..data.dataset import Split
from ..loss.accounting import Accounting

# Takes the model and a batch's content; returns what the loss takes: outputs and targets.
Forward = Callable[[nn.Module, Any], tuple[Any, torch.Tensor]]
Data = Split | tuple[torch.Tensor, torch.Tensor] | Dataset[Any] | DataLoader[Any]


class Batch(NamedTuple):
    """What one forward pass takes, on the model's device.

    `denominator` is what the batch's loss counts with (see `accounting`), None when only the
    loss itself can tell, or a task's own `forward`; `rows` is None where only that knows them.
    """

    content: Any
    rows: int | None
    denominator: float | None


class Source(Protocol):
    """Gives the batches of a split, and says how a model takes them."""

    forward: Forward

    @property
    def has_own_forward(self) -> bool:
        """Whether `forward` is the task's own, which knows the loss's targets alone."""

    @property
    def num_rows(self) -> int | None:
        """The rows of the split, None when the loader does not say."""

    @property
    def num_batches(self) -> int | None:
        """The batches of an epoch of training, None when the loader does not say."""

    @property
    def batch_rows(self) -> int | None:
        """The rows of the usual batch, None when the loader does not say."""

    @property
    def data_seconds(self) -> float | None:
        """How long the last epoch's batches were waited for, None for rows in memory."""

    def epoch(
        self, epoch: int, skip: int = 0, on_skip: Callable[[], None] = lambda: None
    ) -> Iterator[Batch]:
        """The batches of an epoch of training, without the first `skip` of them.

        `on_skip` is called for each of these that has to be loaded, which may take long.
        """

    def in_order(self) -> Iterator[Batch]:
        """All rows, always in the same order, for evaluation."""

    def sample(self, rows: int | None, seed: int) -> "Source | None":
        """As many rows, always the same, or all of fewer; None where none can be picked."""

    def inputs_of(self, content: Any) -> torch.Tensor | None:
        """The one tensor that the model is given of a batch's content.

        None where it is given more than one, or a task's own `forward` alone knows.
        """

    def close(self) -> None:
        """End what goes on between epochs; another epoch begins it again."""


@dataclass(frozen=True)
class BatchPlan:
    """How rows become batches, and how a model takes them if it has a way of its own.

    `needs_two_rows`: the model has batch normalisation, which fails on a batch of one row; what
    is done about such a batch is told to `warn`.
    """

    batch_size: int
    seed: int
    device: torch.device
    forward: Forward | None = None
    needs_two_rows: bool = False
    warn: Callable[[str], None] = lambda _: None


def source_of(data: Data, accounting: Accounting, plan: BatchPlan) -> Source:
    """The source of a split's batches: tensors stay in memory, all else goes through a loader."""
    from .loaded import Loaded  # both build on this module
    from .rows import Rows

    if type(data) is TensorDataset and len(data.tensors) == 2:  # a subclass may change its rows
        data = data.tensors[0], data.tensors[1]
    if isinstance(data, tuple):
        data = Split(*data)
    if isinstance(data, Split):
        return Rows(data.to(plan.device), accounting, plan)
    return Loaded(data, accounting, plan)
