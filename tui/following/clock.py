"""How long a run has trained, told from the times of its records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Clock(msgspec.Struct, frozen=True):
    """Counts the seconds between records while training goes on, and none while it does not.

    A computer's clock that is put back counts none, and what comes after it counts as ever.

    Args:
        now: when the last record was written, in Unix seconds; None before the first.
        seconds: the training up to then.
        runs: whether training goes on.
    """

    now: float | None = None
    seconds: float = 0.0
    runs: bool = True

    def at(self, time: float) -> Clock:
        """The clock at the next record; the first one starts it."""
        passed = 0.0 if self.now is None or not self.runs else max(0.0, time - self.now)
        return replace(self, now=time, seconds=self.seconds + passed)

    def at_each(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The seconds of training at each of the next records, the same as one after the other."""
        import numpy as np

        if not self.runs:
            return np.full(len(times), self.seconds)
        first = times[0] if self.now is None else self.now
        passed = np.maximum(0.0, np.diff(times, prepend=first))
        # cumsum adds from left to right, as `at` does
        seconds: npt.NDArray[np.float64] = np.cumsum(np.concatenate(([self.seconds], passed)))[1:]
        return seconds

    def stopped(self) -> Clock:
        """The clock standing still from its last record on."""
        return replace(self, runs=False)

    def going_on(self) -> Clock:
        """The clock running from its last record on, if it stood still."""
        return replace(self, runs=True)
