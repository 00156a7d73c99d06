"""The curve as a drawable frame: what to draw, where, on which axes.

A frame holds at most a few points for each column of the picture, whatever the length of the
run. Nothing is left out without a sign: what lies beyond the axis or has no logarithm is marked
and counted, a loss that was not finite is a gap and a mark on the x axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec.structs import replace

from ..look.palette import Role
from ..look.view import Extent, View, visible
from .axes import Axis, count_axis, time_axis, value_axis
from .columns import Columns
from .line import Line, column_edges, line_of
from .marked import (
    Span,
    bad_places,
    best_point,
    ordinate,
    patience_span,
    place,
    resumed_places,
    stop_span,
    within,
    would_stop_spans,
)
from .marks import Marks
from .outliers import without_outliers
from .places import place_of_epoch, places_of
from .smoothing import Smoother
from .trace import Trace, drawn, loss_traces, right_traces

if TYPE_CHECKING:
    from .columns import Floats

# The dots of a braille cell: two columns.
COLUMNS_PER_CELL = 2
CELLS_A_TICK = 10
_ROWS_A_TICK = 3
# Around the canvas: the borders and the labels of the x axis.
_BORDER_COLUMNS, _BORDER_ROWS = 2, 3
# The patience window and the target are shown if they take at most so much more room.
_ROOM_FOR_MARKS = 0.2


class Point(msgspec.Struct, frozen=True):
    """The best epoch of one of several runs."""

    x: float
    y: float
    role: Role


class Frame(msgspec.Struct, frozen=True):
    """Everything that a picture of the curve shows; ordinates as they are on their axes.

    `best` is that of the one run whose curve it is, `bests` are those of several runs.
    """

    width: int
    height: int
    x_axis: Axis
    y_axis: Axis
    right_axis: Axis | None
    lines: tuple[Line, ...]
    right_lines: tuple[Line, ...] = ()
    best: tuple[float, float] | None = None
    target: float | None = None
    patience: Span | None = None
    stop: Span | None = None
    resumed: tuple[float, ...] = ()
    bad: Floats = msgspec.field(default_factory=lambda: np.empty(0))
    num_bad: int = 0
    cursor: float | None = None
    would_stop: tuple[Span, ...] = ()
    bests: tuple[Point, ...] = ()

    @property
    def cells_across(self) -> int:
        """The width of the canvas between the axes."""
        return canvas_width(self.width, self.y_axis, self.right_axis)

    @property
    def cells_up(self) -> int:
        """The height of the canvas."""
        return max(2, self.height - _BORDER_ROWS)

    @property
    def column_edges(self) -> Floats:
        """The places on the x axis between the columns of dots."""
        return edges_of(self.width, self.x_axis, self.y_axis, self.right_axis)

    @property
    def left_of_canvas(self) -> int:
        """How many cells of a line the labels and the axis take."""
        return 1 + max(map(len, self.y_axis.labels))

    @property
    def num_clipped(self) -> int:
        """How many visible values lie beyond the axes."""
        return sum(line.num_clipped for line in (*self.lines, *self.right_lines))

    @property
    def num_unplottable(self) -> int:
        """How many visible values have no logarithm."""
        return sum(line.num_unplottable for line in (*self.lines, *self.right_lines))


def canvas_width(width: int, y_axis: Axis, right_axis: Axis | None) -> int:
    """What the axes and their labels leave of a width."""
    labels = [max(map(len, axis.labels)) for axis in (y_axis, right_axis) if axis is not None]
    return max(2, width - _BORDER_COLUMNS - sum(labels))


def edges_of(width: int, x_axis: Axis, y_axis: Axis, right_axis: Axis | None = None) -> Floats:
    """The edges of as many columns of dots as the axes leave of a width."""
    return column_edges(x_axis, canvas_width(width, y_axis, right_axis) * COLUMNS_PER_CELL)


class Kept(msgspec.Struct, frozen=True):
    """What makes the next frame cheap and calm: averages worked out, and axes that still do."""

    smoother: Smoother = msgspec.field(default_factory=Smoother)
    frame: Frame | None = None


def build_frame(
    history: Columns,
    marks: Marks,
    view: View,
    size: tuple[int, int],
    kept: Kept | None = None,
) -> Frame | None:
    """The frame of a history in so many character cells; None when there is nothing to draw.

    Args:
        history: the epochs that stand.
        marks: what the run itself says of them.
        view: how they are looked at.
        size: width and height in cells.
        kept: of the frames before; without it this is the first.
    """
    if not len(history):
        return None
    frame = _with_lines(history, marks, view, size, kept or Kept())
    x_axis, y_axis = frame.x_axis, frame.y_axis
    bad, num_bad = bad_places(history, view, frame.column_edges)
    return replace(
        frame,
        best=best_point(history, marks, view, x_axis, y_axis),
        target=ordinate(marks.target, y_axis) if "val_loss" in view.shown else None,
        patience=patience_span(history, marks, view, x_axis),
        stop=stop_span(history, marks, view, x_axis),
        resumed=resumed_places(history, marks, view, x_axis),
        bad=bad,
        num_bad=num_bad,
        cursor=within(x_axis, place(history, view, view.cursor)),
        would_stop=would_stop_spans(history, marks, view, x_axis),
    )


def _with_lines(
    history: Columns, marks: Marks, view: View, size: tuple[int, int], kept: Kept
) -> Frame:
    """Axes and the lines on them; nothing is marked yet."""
    width, height = size
    before = kept.frame if kept.frame and kept.frame.height == height else None
    x_axis = x_axis_of(history, marks, view, width)
    window = x_axis.low, x_axis.high
    left = loss_traces(history, view, window, kept.smoother)
    right = right_traces(history, view, window, kept.smoother)
    y_axis = loss_axis_of(left, marks, view, height, before.y_axis if before else None)
    right_axis = _right_axis(right, view, height, before.right_axis if before else None)
    edges = edges_of(width, x_axis, y_axis, right_axis)
    return Frame(
        width=width,
        height=height,
        x_axis=x_axis,
        y_axis=y_axis,
        right_axis=right_axis,
        lines=tuple(line_of(trace, y_axis, edges) for trace in left),
        right_lines=tuple(line_of(trace, right_axis, edges) for trace in right if right_axis),
    )


def x_axis_of(history: Columns, marks: Marks, view: View, width: int) -> Axis:
    """The axis of what is visible; of a whole history it reaches to the end of patience."""
    extent = places_of(history, view.x_axis).extent
    low, high = visible(view, extent)
    if view.window is None and marks.patience is not None:
        end = place_of_epoch(history, view.x_axis, marks.patience.until_epoch)
        if high < end <= high + _ROOM_FOR_MARKS * (high - low):
            high = end
    make = time_axis if view.x_axis == "time" else count_axis
    num_ticks = max(2, width // CELLS_A_TICK)
    return make(low, high, max_ticks=num_ticks, is_whole=view.window is None)


def loss_axis_of(
    traces: list[Trace], marks: Marks, view: View, height: int, before: Axis | None
) -> Axis:
    """The axis of all losses that are visible, but for outliers if the view clips them."""
    extents = [each for trace in traces if (each := trace.extent(view.scale)) is not None]
    if not extents:
        return Axis(0.0, 1.0, (0.0, 1.0), ("", ""), view.scale)
    full = min(low for low, _ in extents), max(high for _, high in extents)
    low, high = _clipped(traces, full, view, height)
    if "val_loss" in view.shown and marks.best_loss is not None:
        best = float(drawn(np.array(marks.best_loss), view.scale))
        low, high = (min(low, best), max(high, best)) if full[0] <= best <= full[1] else (low, high)
        low = _down_to_target(low, high, marks, view)
    return value_axis((low, high), view.scale, max(2, height // _ROWS_A_TICK), before)


def _clipped(traces: list[Trace], full: Extent, view: View, height: int) -> Extent:
    if not view.clips:
        return full
    rows = max(1, height - _BORDER_ROWS)
    # an average drags a spike on, so that it would be no outlier any more
    samples = [trace.sample(view.scale) for trace in traces if trace.is_raw]
    return without_outliers(samples, full, rows)


def _down_to_target(low: float, high: float, marks: Marks, view: View) -> float:
    if marks.target is None:
        return low
    target = float(drawn(np.array(marks.target), view.scale))
    return target if low - _ROOM_FOR_MARKS * (high - low) <= target < low else low


def _right_axis(traces: list[Trace], view: View, height: int, before: Axis | None) -> Axis | None:
    """Always linear: a metric may be 0."""
    extents = [each for trace in traces if (each := trace.extent("linear")) is not None]
    if not extents:
        return None
    full = min(low for low, _ in extents), max(high for _, high in extents)
    if view.clips:
        samples = [trace.sample("linear") for trace in traces if trace.is_raw]
        full = without_outliers(samples, full, max(1, height - _BORDER_ROWS))
    return value_axis(full, "linear", max(2, height // _ROWS_A_TICK), before)
