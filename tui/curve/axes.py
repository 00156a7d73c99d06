"""Axes with round ticks, which keep still while what they show grows.

A logarithmic axis is one of logarithms to base 10: they are taken here, not by what draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from ..look.view import Extent, Scale

# Beyond this the length of an axis would not be a number any more.
FARTHEST = 1e300
# Values that differ by less of their size are one: an axis of the last digits tells nothing.
_SAME = 1e-9
# An axis is kept as long as what it shows fills so much of it.
_FILLED = 0.5
# So many powers of ten from tick to tick where they are very many.
_MANY_DECADES = tuple(((1,), step) for step in (3, 5, 10, 20, 50, 100, 200))
_ROUND_SECONDS = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


class Axis(msgspec.Struct, frozen=True):
    """The range of an axis and its ticks; the labels say what a tick stands for."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    scale: Scale = "linear"


def count_axis(low: float, high: float, *, max_ticks: int, is_whole: bool = True) -> Axis:
    """An axis of epochs or steps.

    Args:
        low: where the first of them begins.
        high: where the last of them ends.
        max_ticks: about so many ticks.
        is_whole: whether it may reach beyond the last, and so grow in steps; else it ends there.
    """
    step = max(1, math.ceil(_round_step((high - low) / max_ticks)))
    if is_whole:
        high = max(math.floor(low) + 1, math.ceil(high / step) * step)
    ticks = range(math.ceil(low / step) * step, math.floor(high) + 1, step)
    return Axis(low, high, tuple(map(float, ticks)), tuple(f"{tick:,}" for tick in ticks))


def time_axis(low: float, high: float, *, max_ticks: int, is_whole: bool = True) -> Axis:
    """The same for seconds, in parts of a minute or an hour."""
    rough = max((high - low) / max_ticks, 1e-6)
    step = _round_step(rough)
    if rough > 20:
        step = next((each for each in _ROUND_SECONDS if each >= rough), _days(rough))
    if is_whole:
        high = max(low + step, high, math.ceil(high / step - 1e-9) * step)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Axis(low, high, ticks, tuple(_time_label(tick, step) for tick in ticks))


def _days(seconds: float) -> float:
    return 86400 * _round_step(seconds / 86400)


def _time_label(seconds: float, step: float) -> str:
    if step < 1:
        return f"{seconds:.{max(0, -_exponent(step))}f} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def loss_axis(low: float, high: float, max_ticks: int) -> Axis:
    """An axis that holds all values between round ticks."""
    low, high = max(low, -FARTHEST), min(high, FARTHEST)
    if high - low <= _SAME * max(abs(low), abs(high)):
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    step = _round_step((high - low) / max_ticks)
    # rounding in the last digit must neither add a tick nor leave a loss outside the axis
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [number * step for number in range(first, last + 1)]
    largest = max(abs(ticks[0]), abs(ticks[-1]))
    labels = tuple(_label(tick, step, largest) for tick in ticks)
    return Axis(min(low, ticks[0]), max(high, ticks[-1]), tuple(ticks), labels)


def log_axis(low: float, high: float, max_ticks: int) -> Axis:
    """An axis of logarithms that holds all of them, with ticks at 1, 2 and 5 times the powers."""
    if high - low < math.log10(4) and -300 < low < 300:
        return _narrow_log_axis(low, high, max_ticks)
    bounds = _decade_ticks(math.floor(low), math.ceil(high), (1, 2, 5), 1)
    bottom = max((tick for tick in bounds if tick <= low + 1e-9), default=low)
    top = min((tick for tick in bounds if tick >= high - 1e-9), default=high)
    return decade_axis(min(bottom, low), max(top, high), max_ticks)


def decade_axis(low: float, high: float, max_ticks: int) -> Axis:
    """An axis of logarithms just so long, with as many round ticks as fit."""
    if high == low:
        low, high = low - 0.5, high + 0.5
    for factors, step in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), *_MANY_DECADES):
        ticks = [
            tick
            for tick in _decade_ticks(math.floor(low / step) * step, math.ceil(high), factors, step)
            if low - 1e-9 <= tick <= high + 1e-9
        ]
        if len(ticks) <= max_ticks:
            break
    if len(ticks) < 2:
        ticks = [low, high]
    return Axis(low, high, tuple(ticks), tuple(_power_label(tick) for tick in ticks), "log")


def _narrow_log_axis(low: float, high: float, max_ticks: int) -> Axis:
    """Less than a power of ten: the ticks of a linear axis, at their logarithms."""
    linear = loss_axis(10**low, 10**high, max_ticks)
    pairs = [pair for pair in zip(linear.ticks, linear.labels, strict=True) if pair[0] > 0]
    ticks = [math.log10(tick) for tick, _ in pairs]
    bottom, top = min(low, ticks[0]), max(high, ticks[-1])
    if bottom == top:
        bottom, top = bottom - 0.1, top + 0.1
    return Axis(bottom, top, tuple(ticks), tuple(label for _, label in pairs), "log")


def _decade_ticks(first: int, last: int, factors: Iterable[int], step: int) -> list[float]:
    return [
        decade + math.log10(factor) for decade in range(first, last + 1, step) for factor in factors
    ]


def _power_label(tick: float) -> str:
    if -300 < tick < 300:
        return f"{10**tick:.3g}"
    power = math.floor(tick + 1e-9)
    return f"{10 ** (tick - power):.2g}e{power:+}"


def value_axis(extent: Extent, scale: Scale, max_ticks: int, before: Axis | None) -> Axis:
    """The axis of a range of values as they are drawn, or the one before if that still does."""
    if before is not None and before.scale == scale and _still_holds(before, extent):
        return before
    return (log_axis if scale == "log" else loss_axis)(*extent, max_ticks)


def _still_holds(axis: Axis, extent: Extent) -> bool:
    low, high = extent
    is_filled = high - low >= _FILLED * (axis.high - axis.low)
    return axis.low <= low and high <= axis.high and is_filled


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, ... that is not below `rough`."""
    if rough <= 0:
        return 1
    unit = 10.0 ** math.floor(math.log10(rough))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * (1 - 1e-9))


def _label(tick: float, step: float, largest: float) -> str:
    """A tick to as many digits as tell it from its neighbours."""
    if 1e-4 <= largest < 1e6:
        return f"{tick:.{max(0, -_exponent(step))}f}"
    return f"{tick:.{_exponent(largest) - _exponent(step) + 1}g}"


def _exponent(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)
