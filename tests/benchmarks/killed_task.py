"""What `kill_and_resume` trains: all that makes going on hard, in one small task."""

import random

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from epochtop.core import Settings, Task

_FEATURES, _CLASSES = 6, 3


class Noisy(Dataset[tuple[Tensor, Tensor]]):
    """Random rows, with noise from all three of the generators that augmentation draws from."""

    def __init__(self, count: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._inputs = torch.randn(count, _FEATURES, generator=generator)
        self._targets = torch.randint(_CLASSES, (count,), generator=generator)

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        scale = 1 + 0.1 * random.random() + 0.1 * np.random.rand()  # noqa: S311 - nothing secret
        noise = 0.1 * torch.randn(_FEATURES)
        return self._inputs[index] * scale + noise, self._targets[index]


def build(_: Settings) -> Task:
    """A model with batch normalisation and dropout, on a loader that shuffles and augments."""
    model = nn.Sequential(
        nn.Linear(_FEATURES, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(32, _CLASSES),
    )
    train = DataLoader(Noisy(100, seed=1), batch_size=10, shuffle=True)
    return Task(model, nn.CrossEntropyLoss(), train=train, val=Noisy(40, seed=2))
