"""What a verdict looks at: two losses an epoch, and what else was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from ..events import EpochCompleted, RunStarted, ValChange

Floats = npt.NDArray[np.float64]


class RowsCompared(msgspec.Struct, frozen=True):
    """What single rows have told when they were last compared.

    Args:
        rise_error: the standard error of a rise since the best epoch, 0 if unknown.
        change: of the validation loss since an epoch about half-way, None if unknown.
        unlearnt_share: of what the inputs tell of the targets, None if unknown.
    """

    rise_error: float = 0.0
    change: ValChange | None = None
    unlearnt_share: float | None = None


class Yardsticks(msgspec.Struct, frozen=True):
    """What the data give without the model, each None where nobody knows it.

    Args:
        constant: the validation loss of the constant that fits the training targets best.
        train_constant: its train loss. Where a few rows' targets lie far from the others, the two
            losses are far apart.
        learnable_share: of the constant's loss, what a plain method takes away on rows left out.
    """

    constant: float | None = None
    train_constant: float | None = None
    learnable_share: float | None = None


def yardsticks_of(started: RunStarted | None) -> Yardsticks:
    """What a run's first record says of its data."""
    if started is None:
        return Yardsticks()
    return Yardsticks(started.baseline_loss, started.train_baseline_loss, started.learnable_share)


class Curves(msgspec.Struct, frozen=True, eq=False):
    """The epochs that stand, in columns of equal length; nan for what was no number.

    Args:
        epochs: their numbers, rising.
        train: the train loss in evaluation mode where it was measured, else as it was while the
            weights moved.
        val: the validation loss.
        yardsticks: what the data give without the model.
        rows: what single rows have told.
    """

    epochs: npt.NDArray[np.int64]
    train: Floats
    val: Floats
    yardsticks: Yardsticks = Yardsticks()
    rows: RowsCompared = RowsCompared()

    def __len__(self) -> int:
        return len(self.epochs)

    def only(self, wanted: npt.NDArray[np.bool_]) -> Curves:
        """The curves without some of the epochs, of which the last one stays."""
        return msgspec.structs.replace(
            self, epochs=self.epochs[wanted], train=self.train[wanted], val=self.val[wanted]
        )


def curves_of(records: Sequence[EpochCompleted], yardsticks: Yardsticks | None = None) -> Curves:
    """The curves of records of epochs, which all stand and rise."""
    like_for_like = any(record.train_loss_eval is not None for record in records)
    return Curves(
        epochs=np.array([record.epoch for record in records], np.int64),
        train=_column(
            record.train_loss_eval if like_for_like else record.train_loss for record in records
        ),
        val=_column(record.val_loss for record in records),
        yardsticks=yardsticks or Yardsticks(),
        rows=rows_compared(records),
    )


def rows_compared(records: Sequence[EpochCompleted]) -> RowsCompared:
    """What the rows have told by the end of some records, each number when it was last measured."""
    compared = next((each for each in reversed(records) if each.val_change is not None), None)
    shares = (each.unlearnt_share for each in reversed(records))
    return RowsCompared(
        rise_error=(compared.val_rise_error if compared else None) or 0.0,
        change=compared.val_change if compared else None,
        unlearnt_share=next((share for share in shares if share is not None), None),
    )


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], np.float64)
