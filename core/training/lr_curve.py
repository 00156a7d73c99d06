"""The losses of a learning-rate range test, and the rate that they suggest. No torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

# The loss has diverged when it is so many times as high as at its best, as in fastai.
DIVERGED = 4.0
# A loss that falls by less than this share of itself stands still.
_NOTICEABLE = 0.01

Ending = Literal["completed", "diverged", "not_finite"]


class LrCurve:
    """The losses so far, their moving average, and whether they have diverged.

    The average is exponential, with the pull of its start taken out (Kingma and Ba 2015, section
    3), and looks back over a fifteenth of the test, at least over 7 steps. The first tenth of the
    test only shows where the loss begins.

    Args:
        steps: of the whole test.
    """

    def __init__(self, steps: int) -> None:
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.ending: Ending = "completed"
        self.num_first = steps // 10
        self._decay = max(0.85, 1 - 15 / steps)
        self._average = 0.0
        self._best = math.inf

    @property
    def began(self) -> float:
        """The loss before any rate was large enough to change it; one that exploded is left out."""
        first = self.losses[: self.num_first]
        return float(np.mean([loss for loss in first if loss <= _times(DIVERGED, first[0])]))

    def add(self, loss: float) -> None:
        """Take in a step's loss; `ending` says whether it is the last one."""
        self.losses.append(loss)
        if not math.isfinite(loss):
            self.smoothed.append(math.nan)
            self.ending = "not_finite"
            return
        self._average = self._decay * self._average + (1 - self._decay) * loss
        self.smoothed.append(self._average / (1 - self._decay ** len(self.losses)))
        if len(self.losses) > self.num_first:
            self._best = min(self._best, self.smoothed[-1])
            # a loss that falls to about 0, or below it, is soon many times its best
            if self.smoothed[-1] > max(_times(DIVERGED, self._best), self.began):
                self.ending = "diverged"


@dataclass(frozen=True)
class Fall:
    """The steps where a loss falls most steeply and where it is lowest, counted from 0.

    `suggested` is the steepest, or a decade before the lowest if that comes first: each rate is
    tried for one step only, and the largest ones that do well in it diverge in a longer training,
    with momentum above all.
    """

    steepest: int
    lowest: int
    suggested: int


def find_fall(curve: LrCurve, steps_a_decade: int) -> Fall | None:
    """The fall of the loss that ends at its lowest; None where it does not fall.

    The loss before the fall must lie above the lowest by more than it scatters: else what falls
    may be the batches' doing. The slope at a step is that of a straight line through the losses
    of a decade around it: a moving average comes late, and its own slope follows the batches.
    """
    smoothed = np.array(curve.smoothed)
    late = smoothed[curve.num_first :]
    if not np.isfinite(late).any():
        return None
    lowest = curve.num_first + int(np.nanargmin(late))
    half_way = (curve.began + smoothed[lowest]) / 2
    start = int(np.flatnonzero(np.r_[True, smoothed[1:lowest] >= half_way])[-1])
    before = np.array(curve.losses[: max(start + 1, curve.num_first)])
    depth = min(curve.began, float(before.mean())) - smoothed[lowest]
    if depth <= max(float(before.std()), _NOTICEABLE * abs(curve.began)):
        return None
    width = min(max(3, steps_a_decade), lowest + 1)
    slopes = _slopes(curve.losses[: lowest + 1], width)
    first = max(0, start + 2 - width)  # of the lines that reach beyond the start of the fall
    steepest = first + int(np.argmin(slopes[first:])) + width // 2
    return Fall(steepest, lowest, min(steepest, max(0, lowest - steps_a_decade)))


def _slopes(values: Sequence[float], width: int) -> npt.NDArray[np.float64]:
    """The least-squares slope of each run of so many neighbours."""
    distances = np.arange(width) - (width - 1) / 2
    scaled = distances / np.square(distances).sum()
    return np.asarray(np.correlate(values, scaled, "valid"), dtype=np.float64)


def _times(factor: float, loss: float) -> float:
    """So many times a loss; for one below 0 as far above it as for its opposite."""
    return loss + (factor - 1) * abs(loss)
