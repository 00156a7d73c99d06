"""A trace as the points that a picture needs of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ..look.palette import Role
from .axes import Axis
from .decimation import first_of_each, kept_points
from .trace import Trace, drawn

if TYPE_CHECKING:
    from .columns import Floats, Ints


class Line(msgspec.Struct, frozen=True):
    """A series' points in the order they were measured, within the axis; nan breaks the line.

    `above`, `below` and `unplottable` are where values lie beyond the axis or have no logarithm,
    one place a column; `num_clipped` and `num_unplottable` count all of those values.
    """

    name: str
    role: Role
    xs: Floats
    ys: Floats
    above: Floats
    below: Floats
    unplottable: Floats
    num_clipped: int = 0
    num_unplottable: int = 0


def column_edges(axis: Axis, columns: int) -> Floats:
    """Between the columns of dots, whose outermost have the axis's ends in their middles."""
    return axis.low + (np.arange(columns + 1) - 0.5) / (columns - 1) * (axis.high - axis.low)


def line_of(trace: Trace, y_axis: Axis, edges: Floats) -> Line:
    """The points of a trace, the extremes of every column among them."""
    borders = trace.places.first_from(edges)
    start, end = int(borders[0]), int(borders[-1])
    part = trace.values[start:end]
    has_logarithm = _positive(part) if y_axis.scale == "log" else None
    plottable = part if has_logarithm is None else np.where(has_logarithm, part, math.nan)
    indices = _with_neighbours(kept_points(plottable, borders - start) + start, trace, start, end)
    too_high, too_low = _beyond(plottable, y_axis)
    none_at = np.flatnonzero(part <= 0) if has_logarithm is not None else np.arange(0)

    def places(found: Ints) -> Floats:
        return trace.places.at(first_of_each(found, borders[:-1] - start) + start)

    ys = np.clip(drawn(trace.values[indices], y_axis.scale), y_axis.low, y_axis.high)
    return Line(
        name=trace.series.name,
        role=trace.role,
        xs=trace.places.at(indices),
        ys=ys,
        above=places(too_high),
        below=places(too_low),
        unplottable=places(none_at),
        num_clipped=len(too_high) + len(too_low) if trace.is_raw else 0,
        num_unplottable=len(none_at) if trace.is_raw else 0,
    )


def _positive(part: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None:
    """Where values have a logarithm; None if all that are numbers have one."""
    if not len(part) or not float(np.fmin.reduce(part, initial=math.nan)) <= 0:
        return None
    return part > 0


def _with_neighbours(indices: Ints, trace: Trace, start: int, end: int) -> Ints:
    """The points and the two beyond the window's edges, to which the line goes on."""
    before = [start - 1] if start > 0 else []
    after = [end] if end < len(trace.values) else []
    return np.concatenate((before, indices, after)).astype(np.int64)


def _beyond(values: Floats, axis: Axis) -> tuple[Ints, Ints]:
    """The indices of the values above and below an axis."""
    none = np.arange(0)
    if not len(values):
        return none, none
    lowest = drawn(np.fmin.reduce(values, initial=math.nan), axis.scale)
    highest = drawn(np.fmax.reduce(values, initial=math.nan), axis.scale)
    too_high = np.flatnonzero(values > _value_at(axis.high, axis)) if highest > axis.high else none
    too_low = np.flatnonzero(values < _value_at(axis.low, axis)) if lowest < axis.low else none
    return too_high, too_low


def _value_at(end: float, axis: Axis) -> float:
    return 10**end if axis.scale == "log" else end
