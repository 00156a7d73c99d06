"""What every data source becomes before a model sees it: two splits of tensors."""

from dataclasses import dataclass
from typing import Literal

import torch


@dataclass(frozen=True)
class Split:
    """The rows of one split, in memory.

    `inputs` is float32 of shape (rows, features). `targets` is int64 of shape (rows,) for
    classes and float32 of shape (rows, 1) for a regression.
    """

    inputs: torch.Tensor
    targets: torch.Tensor

    def __len__(self) -> int:
        return self.inputs.shape[0]

    def to(self, device: torch.device) -> "Split":
        """The same rows on a device."""
        return Split(self.inputs.to(device), self.targets.to(device))


@dataclass(frozen=True)
class TargetScale:
    """How a regression's target was standardised: (value - mean) / std, of the training rows."""

    mean: float
    std: float


@dataclass(frozen=True)
class Dataset:
    """Training and validation data, and what their numbers stand for."""

    train: Split
    val: Split
    problem: Literal["classification", "regression"]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    target_scale: TargetScale | None = None
    warnings: tuple[str, ...] = ()

    @property
    def num_features(self) -> int:
        """The model's inputs: columns after one-hot encoding."""
        return self.train.inputs.shape[1]

    @property
    def num_outputs(self) -> int:
        """The model's outputs: a logit a class, or one number."""
        return len(self.class_names) if self.problem == "classification" else 1
