"""A task whose first epoch never ends: what is answered meanwhile is answered within an epoch."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from epochtop.core import Settings, Task


class Endless(IterableDataset[tuple[Tensor, Tensor]]):
    """Random rows without an end, the same each time."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(0)
        while True:
            inputs = torch.randn(4, generator=generator)
            yield inputs, inputs[:1] - inputs[1:2]


def build(_: Settings) -> Task:
    """A small regression."""
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 1))
    val = torch.randn(8, 4), torch.randn(8, 1)
    return Task(model, nn.MSELoss(), train=DataLoader(Endless(), batch_size=4), val=val)
