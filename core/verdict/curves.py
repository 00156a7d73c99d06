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
        compared: the last epoch whose validation rows were compared with earlier ones, None where
            none was.
        unlearnt_share: of what the inputs tell of the targets, when it was last measured; None
            where it never was.
    """

    epochs: npt.NDArray[np.int64]
    train: Floats
    val: Floats
    baseline: float | None = None
    compared: EpochCompleted | None = None
    unlearnt_share: float | None = None

    @property
    def rise_error(self) -> float:
        """The standard error of a rise since the best epoch by the single rows, 0 if unknown."""
        return (self.compared.val_rise_error if self.compared else None) or 0.0

    @property
    def change(self) -> ValChange | None:
        """The change since an epoch about half-way, as the single rows tell it."""
        return self.compared.val_change if self.compared else None

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
        compared=last_compared(records),
        unlearnt_share=last_unlearnt_share(records),
    )


def last_compared(records: Sequence[EpochCompleted]) -> EpochCompleted | None:
    """The last epoch whose validation rows were compared with earlier ones."""
    return next((record for record in reversed(records) if record.val_change is not None), None)


def last_unlearnt_share(records: Sequence[EpochCompleted]) -> float | None:
    """The share of what the inputs tell that was unlearnt when it was last measured."""
    known = (record.unlearnt_share for record in reversed(records))
    return next((each for each in known if each is not None), None)


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], np.float64)
