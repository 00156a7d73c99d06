"""A moving average that one can trust.

The exponential moving average of a series' finite values, divided by the sum of its weights, as
Adam does with its moments: a constant stays constant and the first value does not drag. A value
that is not finite stays a gap, and the average goes on behind it as if it had not been there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .columns import Floats

# So many values are added up in one row of a matrix product.
_BLOCK = 16


@dataclass(frozen=True)
class Carry:
    """How an average goes on: its weighted sum so far, over so many values."""

    total: float = 0.0
    count: int = 0


def smoothed(values: Floats, weight: float, before: Carry | None = None) -> tuple[Floats, Carry]:
    """The debiased average of each value and those before it, and how it goes on.

    Args:
        values: a series in the order it was measured; nan for a gap.
        weight: of the average so far, at least 0 and below 1.
        before: of the values before these; without it these are the first.
    """
    before = before or Carry()
    is_finite = np.isfinite(values)
    finite = values if is_finite.all() else values[is_finite]
    if not len(finite):
        return np.full(len(values), math.nan), before
    totals = _decayed_sums(finite * (1 - weight), weight, before.total)
    count = before.count + len(finite)
    averages = totals / _sums_of_weights(before.count, count, weight)
    if len(finite) < len(values):
        spread = np.full(len(values), math.nan)
        spread[is_finite] = averages
        averages = spread
    return averages, Carry(float(totals[-1]), count)


def _sums_of_weights(done: int, count: int, weight: float) -> Floats:
    """1 - weight**n for the values still to come."""
    if not weight:
        return np.ones(count - done)
    sums: Floats = -np.expm1(np.arange(done + 1, count + 1) * math.log(weight))
    return sums


def _decayed_sums(terms: Floats, weight: float, start: float) -> Floats:
    """s[t] = weight * s[t - 1] + terms[t], a block at a time, and the blocks' ends likewise."""
    count = len(terms)
    num_blocks = -(-count // _BLOCK)
    blocks = np.zeros((num_blocks, _BLOCK))
    blocks.ravel()[:count] = terms
    powers = weight ** np.arange(_BLOCK + 1.0)
    distances = np.arange(_BLOCK)[None, :] - np.arange(_BLOCK)[:, None]
    sums = blocks @ np.where(distances >= 0, powers[np.abs(distances)], 0.0)
    carried = np.full(num_blocks, start)
    if num_blocks > 1:
        carried[1:] = _decayed_sums(sums[:-1, -1], float(powers[-1]), start)
    sums += carried[:, None] * powers[None, 1:]
    flat: Floats = sums.ravel()[:count]
    return flat


@dataclass
class _Kept:
    """The average of a column so far."""

    column: Floats
    averages: Floats
    carry: Carry


class Smoother:
    """Smooths columns that grow, and works out only what is new.

    A column that goes on in the same memory holds what it held before: snapshots never change.
    """

    def __init__(self) -> None:
        self._weight = -1.0
        self._kept: dict[str, _Kept] = {}

    def smooth(self, name: str, column: Floats, weight: float) -> Floats:
        """The average of a column as far as it goes."""
        if weight != self._weight:
            self._weight, self._kept = weight, {}
        kept = self._kept.get(name)
        if kept is None or not _goes_on(kept.column, column):
            averages, carry = smoothed(column, weight)
            kept = _Kept(column, _with_room(averages), carry)
        elif len(column) > len(kept.column):
            kept = _grown(kept, column, weight)
        self._kept[name] = kept
        return kept.averages[: len(column)]


def _goes_on(before: Floats, column: Floats) -> bool:
    same_memory = before.ctypes.data == column.ctypes.data and before.strides == column.strides
    return same_memory and len(column) >= len(before)


def _with_room(averages: Floats) -> Floats:
    room = np.empty(len(averages) + len(averages) // 4 + 256)
    room[: len(averages)] = averages
    return room


def _grown(kept: _Kept, column: Floats, weight: float) -> _Kept:
    done = len(kept.column)
    new, carry = smoothed(column[done:], weight, kept.carry)
    averages = kept.averages
    if len(column) > len(averages):
        averages = _with_room(averages[:done])
        if len(column) > len(averages):
            averages = _with_room(np.concatenate((averages[:done], new)))
    averages[done : len(column)] = new
    return _Kept(column, averages, carry)
