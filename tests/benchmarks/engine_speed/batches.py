"""The loaders that the contestants iterate: every epoch in the order that epochtop draws."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch.utils.data import DataLoader, Sampler, TensorDataset

from epochtop.core.seeds import epoch_order

from .problem import Workload

Batches = DataLoader[tuple[torch.Tensor, ...]]
Pairs = Iterable[Sequence[torch.Tensor]]


class EpochOrder(Sampler[int]):
    """Does what torch's RandomSampler does, in epochtop's order; each iteration is an epoch."""

    def __init__(self, num_rows: int, seed: int) -> None:
        self._num_rows = num_rows
        self._seed = seed
        self.next_epoch = 1

    def __len__(self) -> int:
        return self._num_rows

    def __iter__(self) -> Iterator[int]:
        order = epoch_order(self._num_rows, seed=self._seed, epoch=self.next_epoch)
        self.next_epoch += 1
        yield from order.tolist()


def train_batches(workload: Workload, order: EpochOrder | None = None) -> Batches:
    """The training rows, shuffled."""
    train, rows = workload.settings.train, workload.train
    order = order or EpochOrder(len(rows), train.seed)
    return DataLoader(TensorDataset(rows.inputs, rows.targets), train.batch_size, sampler=order)


def val_batches(workload: Workload) -> Batches:
    """The validation rows."""
    rows = TensorDataset(workload.val.inputs, workload.val.targets)
    return DataLoader(rows, workload.settings.train.batch_size)


def batches_on(device: torch.device, batches: Batches) -> Pairs:
    """The batches on a device, as people bring them there."""
    if device.type == "cpu":
        return batches
    return ([part.to(device) for part in batch] for batch in batches)
