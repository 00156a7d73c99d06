"""Histories for tests of the curve: columns without a journal."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

NAN = math.nan
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Epochs:
    """Some epochs and their series."""

    epochs: Ints
    steps: Ints
    seconds: Floats
    series: dict[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.series)

    def column(self, name: str) -> Floats:
        return self.series[name]


def history_of(
    val: Sequence[float] | Floats,
    train: Sequence[float] | Floats | None = None,
    *,
    first: int = 1,
    seconds: Sequence[float] | None = None,
    **others: Sequence[float],
) -> Epochs:
    """Epochs of ten steps and two seconds each, with these values."""
    losses = {"train_loss": val if train is None else train, "val_loss": val, **others}
    epochs = np.arange(first, first + len(val))
    return Epochs(
        epochs,
        10 * epochs,
        np.array(2 * epochs if seconds is None else seconds, np.float64),
        {name: np.array(values, np.float64) for name, values in losses.items()},
    )
