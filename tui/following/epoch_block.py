"""Epochs that follow each other in a journal, in columns: a million of them in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from ...core.events import EpochCompleted, Event

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LOSSES = ("train_loss", "val_loss")
_OTHER_SERIES = ("train_loss_eval", "penalty", "lr", "grad_norm")
# A block's last records are kept whole: those that a state keeps.
RECORDS_KEPT = 100


class EpochBlock(msgspec.Struct, frozen=True, eq=False):
    """At least one epoch, with no other record between them; a column has a value an epoch.

    A state after a block is the state after its records one by one.

    Args:
        epochs: their numbers, usually one after the other.
        steps: the optimiser steps up to each one's end.
        times: when each record was written, in Unix seconds.
        series: train_loss and val_loss, the others as far as they were measured, the metrics;
            nan where a number was not finite or not measured.
        improvements: how many of the epochs were the best so far, as the stopping rule counts.
        first_improvement: the record of the first of these.
        last_improvement: the record of the last.
        recent: the last records, at most `RECORDS_KEPT`.
    """

    epochs: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    series: Mapping[str, npt.NDArray[np.float64]]
    improvements: int
    first_improvement: EpochCompleted | None
    last_improvement: EpochCompleted | None
    recent: tuple[EpochCompleted, ...]

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def rises(self) -> bool:
        """Whether each epoch's number is above that of the one before it."""
        return bool((self.epochs[1:] > self.epochs[:-1]).all())

    @classmethod
    def of(cls, records: Sequence[EpochCompleted]) -> EpochBlock:
        """The block of these records, of which there is at least one."""
        import numpy as np

        improved = [record for record in records if record.stopping.best_epoch == record.epoch]
        return cls(
            epochs=np.fromiter([record.epoch for record in records], np.int64),
            steps=np.fromiter([record.step for record in records], np.int64),
            times=np.fromiter([record.time for record in records], np.float64),
            series=_series_of(records),
            improvements=len(improved),
            first_improvement=improved[0] if improved else None,
            last_improvement=improved[-1] if improved else None,
            recent=tuple(records[-RECORDS_KEPT:]),
        )

    @classmethod
    def joined(cls, blocks: Sequence[EpochBlock]) -> EpochBlock:
        """One block of those that follow each other; at least one."""
        import numpy as np

        improved = [block for block in blocks if block.improvements]
        return cls(
            epochs=np.concatenate([block.epochs for block in blocks]),
            steps=np.concatenate([block.steps for block in blocks]),
            times=np.concatenate([block.times for block in blocks]),
            series=_joined_series(blocks),
            improvements=sum(block.improvements for block in blocks),
            first_improvement=improved[0].first_improvement if improved else None,
            last_improvement=improved[-1].last_improvement if improved else None,
            recent=_joined_recent(blocks),
        )


Arrival = Event | EpochBlock


def series_name(metric: str) -> str:
    """What a metric's series is called: as the metric, unless a loss or a rate is called so."""
    return f"metrics.{metric}" if metric in (*LOSSES, *_OTHER_SERIES) else metric


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """The names of series, each once: losses and rates first, the metrics as they come."""
    known = dict.fromkeys(names)
    fixed = [name for name in (*LOSSES, *_OTHER_SERIES) if name in known]
    return tuple(dict.fromkeys([*fixed, *known]))


def _series_of(records: Sequence[EpochCompleted]) -> dict[str, npt.NDArray[np.float64]]:
    # a comprehension for each, and not getattr: this is most of the work on a long journal
    losses = {
        "train_loss": _column([record.train_loss for record in records]),
        "val_loss": _column([record.val_loss for record in records]),
    }
    others = {
        "train_loss_eval": _column([record.train_loss_eval for record in records]),
        "penalty": _column([record.penalty for record in records]),
        "lr": _column([record.lr for record in records]),
        "grad_norm": _column([record.grad_norm for record in records]),
    }
    measured = {name: column for name, column in others.items() if _is_measured(column)}
    return losses | measured | _metrics_of(records)


def _metrics_of(records: Sequence[EpochCompleted]) -> dict[str, npt.NDArray[np.float64]]:
    metrics = [record.metrics for record in records]
    names = dict.fromkeys(chain.from_iterable(metrics))
    return {series_name(name): _column([each.get(name) for each in metrics]) for name in names}


def _column(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    """Numbers as an array, nan for each that is None or not finite."""
    import numpy as np

    column = np.fromiter(values, np.float64, len(values))  # None becomes nan
    if (infinite := np.isinf(column)).any():
        column[infinite] = np.nan
    return column


def _is_measured(column: npt.NDArray[np.float64]) -> bool:
    import numpy as np

    return not bool(np.isnan(column).all())


def _joined_series(blocks: Sequence[EpochBlock]) -> dict[str, npt.NDArray[np.float64]]:
    import numpy as np

    def of(block: EpochBlock, name: str) -> npt.NDArray[np.float64]:
        column = block.series.get(name)
        return np.full(len(block), np.nan) if column is None else column

    names = in_order(chain.from_iterable(block.series for block in blocks))
    return {name: np.concatenate([of(block, name) for block in blocks]) for name in names}


def _joined_recent(blocks: Sequence[EpochBlock]) -> tuple[EpochCompleted, ...]:
    recent: list[EpochCompleted] = []
    for block in reversed(blocks):
        recent = [*block.recent, *recent]
        if len(recent) >= RECORDS_KEPT:
            break
    return tuple(recent[-RECORDS_KEPT:])
