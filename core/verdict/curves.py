"""What a verdict looks at: two losses an epoch, and what else was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from ..events import EpochCompleted, ValChange

Floats = npt.NDArray[np.float64]


class Curves(msgspec.Struct, frozen=True, eq=False):
    """The epochs that stand, in columns of equal length; nan for what was no number.

    Args:
        epochs: their numbers, rising.
        train: the train loss in evaluation mode where it was measured, else as it was while the
            weights moved.
        val: the validation loss.
        baseline: the best constant predictor's validation loss, None where nobody knows it.
        rise_error: the standard error of the last validation loss's difference from the best
            epoch's by its single rows, None where it is not known.
        change: the last one of a validation loss since an epoch half-way, None likewise.
    """

    epochs: npt.NDArray[np.int64]
    train: Floats
    val: Floats
    baseline: float | None = None
    rise_error: float | None = None
    change: ValChange | None = None

    def __len__(self) -> int:
        return len(self.epochs)

    def only(self, wanted: npt.NDArray[np.bool_]) -> Curves:
        """The curves without some of the epochs, of which the last one stays."""
        return msgspec.structs.replace(
            self, epochs=self.epochs[wanted], train=self.train[wanted], val=self.val[wanted]
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
        baseline=baseline,
        rise_error=records[-1].val_rise_error if records else None,
        change=last_change(records),
    )


def last_change(records: Sequence[EpochCompleted]) -> ValChange | None:
    """The last change since half-way that the rows were compared for."""
    changes = (record.val_change for record in reversed(records))
    return next((change for change in changes if change is not None), None)


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], np.float64)
