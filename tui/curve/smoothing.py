"""A moving average that one can trust.

The exponential moving average of a series' finite values, divided by the sum of its weights, as
Adam does with its moments: a constant stays constant and the first value does not drag. A value
that is not finite stays a gap, and the average goes on behind it as if it had not been there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from .columns import Floats

# So many values are added up in one row of a matrix product.
_BLOCK = 16
# So many values at once: what is worked out on the way stays in the processor's cache.
_PART = 1 << 15
# weight**n below e to the minus this is nothing beside 1.
_DIGITS = 40.0


class Carry(msgspec.Struct, frozen=True):
    """How an average goes on: its weighted sum so far, over so many values between two bounds."""

    total: float = 0.0
    count: int = 0
    low: float = math.inf
    high: float = -math.inf


def smoothed(values: Floats, weight: float, before: Carry | None = None) -> tuple[Floats, Carry]:
    """The debiased average of each value and those before it, and how it goes on.

    Args:
        values: a series in the order it was measured; nan for a gap.
        weight: of the average so far, at least 0 and below 1.
        before: of the values before these; without it these are the first.
    """
    averages = np.empty(len(values))
    carry = smooth_into(averages, values, weight, before or Carry())
    return averages, carry


def smooth_into(averages: Floats, values: Floats, weight: float, before: Carry) -> Carry:
    """The same into memory that is there already."""
    carry = before
    for start in range(0, len(values), _PART):
        part = slice(start, start + _PART)
        averages[part], carry = _smoothed_part(values[part], weight, carry)
    return carry


def _smoothed_part(values: Floats, weight: float, before: Carry) -> tuple[Floats, Carry]:
    is_finite = np.isfinite(values)
    finite = values if is_finite.all() else values[is_finite]
    if not len(finite):
        return np.full(len(values), math.nan), before
    averages = _decayed_sums(finite, weight, before.total, gain=1 - weight)
    low, high = min(before.low, float(finite.min())), max(before.high, float(finite.max()))
    carry = Carry(float(averages[-1]), before.count + len(finite), low, high)
    _divide_by_weights(averages, weight, before.count)
    np.clip(averages, low, high, out=averages)  # the last digit of a constant is not to move
    if len(finite) < len(values):
        spread = np.full(len(values), math.nan)
        spread[is_finite] = averages
        averages = spread
    return averages, carry


def _divide_by_weights(totals: Floats, weight: float, done: int) -> None:
    """Divide each total by the sum of its weights, 1 - weight**n, in place."""
    # after so many values the sum is 1 to the last digit
    num_short = math.ceil(-_DIGITS / math.log(weight)) if weight else 0
    short = totals[: max(0, num_short - done)]
    short /= -np.expm1(np.arange(done + 1, done + len(short) + 1) * math.log(weight or 1))


def _decayed_sums(terms: Floats, weight: float, start: float, *, gain: float = 1.0) -> Floats:
    """s[t] = weight * s[t - 1] + gain * terms[t], by blocks, and the blocks' ends likewise."""
    count = len(terms)
    num_blocks = -(-count // _BLOCK)
    blocks = np.empty((num_blocks, _BLOCK))
    blocks.ravel()[:count] = terms
    blocks.ravel()[count:] = 0.0
    powers = weight ** np.arange(_BLOCK + 1.0)
    distances = np.arange(_BLOCK)[None, :] - np.arange(_BLOCK)[:, None]
    sums = blocks @ np.where(distances >= 0, gain * powers[np.abs(distances)], 0.0)
    carried = np.full(num_blocks, start)
    if num_blocks > 1:
        carried[1:] = _decayed_sums(sums[:-1, -1], float(powers[-1]), start)
    sums += np.multiply(carried[:, None], powers[None, 1:], out=blocks)
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
            kept = _Kept(column[:0], np.empty(0), Carry())
        if len(column) > len(kept.column):
            kept = _grown(kept, column, weight)
        self._kept[name] = kept
        return kept.averages[: len(column)]


def _goes_on(before: Floats, column: Floats) -> bool:
    same_memory = before.ctypes.data == column.ctypes.data and before.strides == column.strides
    return same_memory and len(column) >= len(before)


def _grown(kept: _Kept, column: Floats, weight: float) -> _Kept:
    """The average up to the column's end, in the memory of the one before while it has room."""
    done, averages = len(kept.column), kept.averages
    if len(column) > len(averages):
        averages = np.empty(len(column) + len(column) // 4 + 256)
        averages[:done] = kept.averages[:done]
    new = slice(done, len(column))
    carry = smooth_into(averages[new], column[new], weight, kept.carry)
    return _Kept(column, averages, carry)
