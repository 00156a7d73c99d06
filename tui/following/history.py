"""What was measured in a run's epochs, in columns that snapshots share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from .epoch_block import LOSSES, EpochBlock, in_order

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# The speed is that of the last seconds of training, or of the last epochs where they are long.
_EPOCHS_OF_SPEED = 10
_SECONDS_OF_SPEED = 5.0
_FIRST_CAPACITY = 256
# An array that has grown lives on as long as somebody looks at it, and what is not filled takes no
# memory: so long ones grow rarely, and little is there twice.
_LONG, _GROWTH, _GROWTH_OF_LONG = 16_384, 2, 8


class _Column:
    """An array that grows; what was seen of it stays as it is.

    Growing leaves the old array to those who look at it, and takes memory only as it is filled.
    """

    def __init__(self, dtype: str, missing: float) -> None:
        self._dtype = dtype
        self._missing = missing
        self._array: npt.NDArray[Any] | None = None
        self._filled = 0

    def put(self, start: int, values: npt.NDArray[Any]) -> None:
        """Write values from an index on, which may leave some out."""
        end = start + len(values)
        array = self._with_capacity(end)
        array[self._filled : start] = self._missing
        array[start:end] = values
        self._filled = end

    def view(self, length: int) -> npt.NDArray[Any]:
        """The first values, read-only."""
        array = self._with_capacity(length)
        if self._filled < length:
            array[self._filled : length] = self._missing
            self._filled = length
        view = array[:length]
        view.flags.writeable = False
        return view

    def _with_capacity(self, length: int) -> npt.NDArray[Any]:
        import numpy as np

        if self._array is None or len(self._array) < length:
            growth = _GROWTH if self._filled < _LONG else _GROWTH_OF_LONG
            capacity = max(_FIRST_CAPACITY, length, growth * self._filled)
            grown = np.empty(capacity, self._dtype)
            if self._array is not None:
                grown[: self._filled] = self._array[: self._filled]
            self._array = grown
        return self._array


class _Columns:
    """The columns of all snapshots that have gone on from each other."""

    def __init__(self) -> None:
        self.length = 0
        self.epochs = _Column("int64", 0)
        self.steps = _Column("int64", 0)
        self.seconds = _Column("float64", 0.0)
        self.series: dict[str, _Column] = {name: _series() for name in LOSSES}

    def append(self, block: EpochBlock, seconds: npt.NDArray[np.float64]) -> None:
        self.epochs.put(self.length, block.epochs)
        self.steps.put(self.length, block.steps)
        self.seconds.put(self.length, seconds)
        for name, values in block.series.items():
            self.series.setdefault(name, _series()).put(self.length, values)
        self.length += len(block)

    def copied(self, length: int) -> _Columns:
        copy = _Columns()
        copy.epochs.put(0, self.epochs.view(length))
        copy.steps.put(0, self.steps.view(length))
        copy.seconds.put(0, self.seconds.view(length))
        copy.series = {name: _series() for name in self.series}
        for name, column in copy.series.items():
            column.put(0, self.series[name].view(length))
        copy.length = length
        return copy


class History(msgspec.Struct, frozen=True, eq=False):
    """The first `length` epochs of a run; columns are read-only and have a value an epoch.

    The speed is that of the epochs from index `timed_from` on: since the run was last gone on
    with from an earlier epoch. The columns are shared between snapshots and only ever grow, so a
    snapshot costs nothing.
    """

    length: int = 0
    timed_from: int = 0
    names: tuple[str, ...] = LOSSES
    _columns: _Columns = msgspec.field(default_factory=_Columns)

    def __len__(self) -> int:
        return self.length

    @property
    def epochs(self) -> npt.NDArray[np.int64]:
        """The numbers of the epochs."""
        return self._columns.epochs.view(self.length)

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """The optimiser steps up to each epoch's end."""
        return self._columns.steps.view(self.length)

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """The training up to each epoch's end, without pauses and interruptions."""
        return self._columns.seconds.view(self.length)

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """A series; nan where a number was not finite or not measured, so all of an unknown one."""
        column = self._columns.series.get(name)
        return _nans(self.length) if column is None else column.view(self.length)

    def lowest(self, name: str) -> tuple[float | None, int | None]:
        """The lowest value of a series and the first epoch that has it; None without any."""
        import numpy as np

        column = self.column(name)
        if bool(np.isnan(column).all()):
            return None, None
        index = int(np.nanargmin(column))
        return float(column[index]), int(self.epochs[index])

    def extended(self, block: EpochBlock, seconds: npt.NDArray[np.float64]) -> History:
        """The history with more epochs after it, which ended at so many seconds of training."""
        columns = self._columns
        if columns.length != self.length:  # another snapshot has gone on from here
            columns = columns.copied(self.length)
        columns.append(block, seconds)
        return replace(
            self,
            length=columns.length,
            names=in_order((*self.names, *block.series)),
            _columns=columns,
        )

    def up_to_epoch(self, epoch: int) -> History:
        """The history without the last epochs after `epoch`; what comes next is timed anew."""
        import numpy as np

        standing = np.flatnonzero(self.epochs <= epoch)
        length = int(standing[-1]) + 1 if len(standing) else 0
        return replace(self, length=length, timed_from=length)

    @property
    def epochs_per_second(self) -> float | None:
        """The speed of training over the last epochs; None before there are two."""
        timed = self.seconds[self.timed_from :]
        if len(timed) < 2:
            return None
        start = int(timed.searchsorted(timed[-1] - _SECONDS_OF_SPEED))
        start = max(0, min(start, len(timed) - _EPOCHS_OF_SPEED))
        passed = float(timed[-1] - timed[start])
        return (len(timed) - 1 - start) / passed if passed > 0 else None


def _series() -> _Column:
    return _Column("float64", float("nan"))


def _nans(length: int) -> npt.NDArray[np.float64]:
    """So many of them, in the memory of one."""
    import numpy as np

    return np.broadcast_to(np.float64("nan"), (length,))
