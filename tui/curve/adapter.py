"""A history of losses alone as the columns that the curve is drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from ..history import History
from .columns import Columns

if TYPE_CHECKING:
    from .columns import Floats, Ints


@dataclass(frozen=True)
class LossColumns:
    """Epochs, both losses, and the time since the first record."""

    epochs: Ints
    seconds: Floats
    losses: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def steps(self) -> Ints:
        """The epochs: the steps are not kept."""
        return self.epochs

    @property
    def names(self) -> tuple[str, ...]:
        """The two losses."""
        return tuple(self.losses)

    def column(self, name: str) -> Floats:
        """One of the two losses."""
        return self.losses[name]


def columns_of(history: History) -> Columns:
    """The columns of a history."""
    if hasattr(history, "column"):
        return cast("Columns", history)
    length = len(history)
    times = np.array(history.times[:length])
    return LossColumns(
        np.array(history.epochs[:length], np.int64),
        times - (times[0] if length else math.nan),
        {
            "train_loss": np.array(history.train[:length]),
            "val_loss": np.array(history.val[:length]),
        },
    )
