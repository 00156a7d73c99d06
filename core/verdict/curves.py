"""What a verdict looks at: two losses an epoch, and what else was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from ..events import EpochCompleted

Floats = npt.NDArray[np.float64]


class Curves(msgspec.Struct, frozen=True, eq=False):
    """The epochs that stand, in columns of equal length; nan for what was no number.

    Args:
        epochs: their numbers, rising.
        train: the train loss in evaluation mode where it was measured, else as it was while the
            weights moved.
        val: the validation loss.
        rise_error: the standard error of the validation loss's difference from the best epoch's
            by its single rows, nan where it is not known.
        baseline: the best constant predictor's validation loss, None where nobody knows it.
    """

    epochs: npt.NDArray[np.int64]
    train: Floats
    val: Floats
    rise_error: Floats
    baseline: float | None = None

    def __len__(self) -> int:
        return len(self.epochs)

    def first(self, length: int) -> Curves:
        """The curves as they were after so many of the epochs."""
        return self.only(np.arange(len(self)) < length)

    def only(self, wanted: npt.NDArray[np.bool_]) -> Curves:
        """The curves without some of the epochs."""
        return Curves(
            self.epochs[wanted],
            self.train[wanted],
            self.val[wanted],
            self.rise_error[wanted],
            self.baseline,
        )


def curves_of(records: Sequence[EpochCompleted], baseline: float | None = None) -> Curves:
    """The curves of records of epochs, which all stand and rise."""
    like_for_like = any(record.train_loss_eval is not None for record in records)
    return Curves(
        epochs=np.array([record.epoch for record in records], np.int64),
        train=_column(
            record.train_loss_eval if like_for_like else record.train_loss for record in records
        ),
        val=_column(record.val_loss for record in records),
        rise_error=_column(record.val_rise_error for record in records),
        baseline=baseline,
    )


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], np.float64)
