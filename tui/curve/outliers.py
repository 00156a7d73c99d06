"""Which values would flatten all others.

Of each series at most one in twenty at either end counts as an outlier, and only if it lies
farther from the rest than the rest is wide; so a second level of a loss is never cut away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..look.view import Extent

if TYPE_CHECKING:
    from .columns import Floats

_LARGEST_SHARE = 0.05
_FEWEST_VALUES = 4
# Enough to tell a bound; what lies beyond it is counted over all values.
_SAMPLE = 20_000
# Below so many rows for all that is no outlier the picture is flat.
_FLAT_ROWS = 4


def without_outliers(series: Sequence[Floats], full: Extent, rows: int) -> Extent:
    """The range to show of some series: all of it, unless outliers would flatten the rest.

    Args:
        series: finite values as they are drawn.
        full: from the smallest to the largest of them.
        rows: the height of the picture.
    """
    cores = [core for values in series if (core := _core(values)) is not None]
    if not cores:
        return full
    low, high = min(core[0] for core in cores), max(core[1] for core in cores)
    low, high = max(low, full[0]), min(high, full[1])
    if (high - low) * rows >= _FLAT_ROWS * (full[1] - full[0]):
        return full
    return low, high


def _core(values: Floats) -> Extent | None:
    """Where a series is, but for its outliers; with as much room again at both ends."""
    sample = np.sort(values[:: max(1, len(values) // _SAMPLE)])
    if not len(sample):
        return None
    trimmed = max(1, int(len(sample) * _LARGEST_SHARE)) if len(sample) >= _FEWEST_VALUES else 0
    low, high = float(sample[trimmed]), float(sample[-1 - trimmed])
    room = high - low or abs(high) / 4 or 0.5
    return low - room, high + room
