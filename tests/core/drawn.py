"""Random numbers and classes, always the same ones."""

import torch
from torch import Tensor

CLASSES = 3


def drawn(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def classes(*shape: int) -> Tensor:
    """Indices of classes."""
    return torch.randint(CLASSES, shape, generator=torch.Generator().manual_seed(1))
