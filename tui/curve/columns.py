"""What the curve needs to know of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Columns(Protocol):
    """The epochs that stand, in columns of equal length.

    `seconds` is the training time since the start at each epoch's end. A number that was not
    finite or not measured is nan.
    """

    def __len__(self) -> int:
        """The number of epochs."""
        ...

    @property
    def epochs(self) -> Ints:
        """The epochs' numbers, rising."""
        ...

    @property
    def steps(self) -> Ints:
        """The optimiser steps at each epoch's end."""
        ...

    @property
    def seconds(self) -> Floats:
        """The seconds of training at each epoch's end."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The series measured so far."""
        ...

    def column(self, name: str) -> Floats:
        """A series' values."""
        ...
