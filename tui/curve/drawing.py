"""The curve's lines on the screen, and what is kept from one picture to the next."""

from __future__ import annotations

import math

import numpy as np
from msgspec.structs import replace

from ..following.state import RunState
from ..look.palette import Palette
from ..look.view import View, panned, visible
from . import plot
from .caveats import Words, caveats
from .columns import Columns
from .cursor import reading_at
from .frame import Frame, Kept, build_frame
from .legend import first_line, legend_lines, note_items, shortened
from .marks import Marks, marks_of
from .places import nearest_epoch, place_of_epoch, places_of

# Below this there is no line for the notes.
_HEIGHT_FOR_NOTES = 10
# How far within the window, as a share of it, a cursor comes that was outside.
_ROOM_AT_CURSOR = 0.1


class CurveDrawing:
    """Draws a run's curve, and knows what lies where in the last picture."""

    def __init__(self) -> None:
        self._kept = Kept()

    def lines(
        self,
        columns: Columns,
        state: RunState,
        view: View,
        size: tuple[int, int],
        palette: Palette,
    ) -> list[Words] | None:
        """The legend, the notes and the picture; None where there is no room for a picture."""
        if size[0] < plot.MIN_WIDTH or size[1] <= plot.MIN_HEIGHT:
            self._kept = replace(self._kept, frame=None)
            return None
        marks = marks_of(state)
        reading = reading_at(columns, view, view.cursor, self._kept.smoother)
        legend = legend_lines(reading, marks, view, palette, size[0])
        num_over = _lines_over(len(legend), size[1])
        frame = self._frame(columns, marks, view, size, num_over)
        if frame is None:
            return None
        room = size[1] - plot.MIN_HEIGHT
        if num_over <= len(legend) and room > 1 and any(caveats(frame, marks, view, palette)):
            # what the picture leaves out is said, if need be in the place of the last values
            num_over = min(max(num_over, 2), room)
            legend = shortened(legend, num_over - 1, size[0])
            frame = self._frame(columns, marks, view, size, num_over) or frame
        self._kept = replace(self._kept, frame=frame)
        notes = note_items(frame, marks, view, palette, size[0])
        over = [*shortened(legend, num_over, size[0]), first_line(notes, size[0])][:num_over]
        return [*over, *plot.draw(frame, palette).rows()]

    def _frame(
        self, columns: Columns, marks: Marks, view: View, size: tuple[int, int], num_over: int
    ) -> Frame | None:
        """The frame under so many lines of text."""
        return build_frame(columns, marks, view, (size[0], size[1] - num_over), self._kept)

    @property
    def has_picture(self) -> bool:
        """Whether the last lines had one."""
        return self._kept.frame is not None

    @property
    def cells_across(self) -> int:
        """The width of the canvas."""
        return self._kept.frame.cells_across if self._kept.frame else 1

    def place_at(self, column: int) -> float | None:
        """The x under a column of the lines; beside the canvas that of its end."""
        frame = self._kept.frame
        if frame is None:
            return None
        cell = min(max(column - frame.left_of_canvas, 0), frame.cells_across - 1)
        share = cell / (frame.cells_across - 1)
        return frame.x_axis.low + share * (frame.x_axis.high - frame.x_axis.low)

    def epoch_at(self, columns: Columns, view: View, column: int) -> int | None:
        """The epoch nearest to a column."""
        place = self.place_at(column)
        return None if place is None else nearest_epoch(columns, view.x_axis, place)

    def moved(self, columns: Columns, view: View, direction: int) -> int:
        """The epoch that the cursor goes to; at first the last one."""
        epochs = columns.epochs
        if view.cursor is None:
            return int(epochs[-1])
        index = int(np.searchsorted(epochs, view.cursor)) + direction * self._epochs_a_cell(
            columns, view
        )
        return int(epochs[min(max(index, 0), len(epochs) - 1)])

    def _epochs_a_cell(self, columns: Columns, view: View) -> int:
        places = places_of(columns, view.x_axis)
        first, last = places.first_from(np.array(visible(view, places.extent)))
        return max(1, int(last - first) // self.cells_across)

    def around_cursor(self, columns: Columns, view: View) -> View:
        """The view with its window moved so far that the cursor is in it."""
        if view.window is None or view.cursor is None:
            return view
        extent = places_of(columns, view.x_axis).extent
        low, high = visible(view, extent)
        place = place_of_epoch(columns, view.x_axis, view.cursor)
        if low <= place <= high:
            return view
        nearest = low if place < low else high
        beside = (place - nearest) / (high - low)
        return panned(view, extent, beside + math.copysign(_ROOM_AT_CURSOR, beside))


def _lines_over(num_legend_lines: int, height: int) -> int:
    """How many lines of legend and notes a pane of some height has over its picture."""
    room = height - plot.MIN_HEIGHT
    if height < _HEIGHT_FOR_NOTES:
        return min(num_legend_lines, room)
    return min(num_legend_lines + 1, max(2, room // 2))
