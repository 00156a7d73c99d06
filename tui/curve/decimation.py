"""Few points instead of many, such that the picture stays the same.

Of every column of the picture the smallest and the largest value stay, the first gap, and the
first and last point of all: a spike is never lost. A column has one dot across, so that more
points could not be told apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .columns import Floats, Ints

_POINTS_A_COLUMN = 4


def kept_points(values: Floats, edges: Ints) -> Ints:
    """The indices of the points to draw, rising.

    Args:
        values: a series; nan for a gap.
        edges: where each column's values begin, and where the last one's end, never falling.
    """
    start, end = int(edges[0]), int(edges[-1])
    if end - start <= _POINTS_A_COLUMN * (len(edges) - 1) // 2:
        return np.arange(start, end)
    part = values[start:end]
    gaps = np.isnan(part)
    starts = np.unique(edges[:-1][edges[:-1] < edges[1:]]) - start
    ends = np.append(starts[1:], end - start)
    kept = [np.array([0, end - start - 1])]
    if gaps.any():
        kept += [first_of_each(np.flatnonzero(gaps), starts)]
        kept += [_extremes(np.where(gaps, np.inf, part), starts, ends, smallest=True)]
        kept += [_extremes(np.where(gaps, -np.inf, part), starts, ends, smallest=False)]
    else:
        kept += [_extremes(part, starts, ends, smallest=True)]
        kept += [_extremes(part, starts, ends, smallest=False)]
    return np.unique(np.concatenate(kept)) + start


def _extremes(part: Floats, starts: Ints, ends: Ints, *, smallest: bool) -> Ints:
    find = np.ndarray.argmin if smallest else np.ndarray.argmax
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return np.array([start + int(find(part[start:end])) for start, end in pairs], np.int64)


def first_of_each(places: Ints, starts: Ints) -> Ints:
    """The first in each column of some rising indices, where the columns begin at `starts`."""
    if not len(places):
        return places
    columns = np.searchsorted(starts, places, side="right")
    is_first = np.append(True, columns[1:] != columns[:-1])
    firsts: Ints = places[is_first]
    return firsts
