"""The curve's lines on the screen, and what is kept from one picture to the next."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import plot
from .curve.columns import Columns
from .curve.cursor import reading_at
from .curve.frame import Kept, build_frame
from .curve.legend import Words, fitted, legend_items, note_items
from .curve.marks import marks_of
from .curve.places import nearest_epoch, place_of_epoch, places_of
from .palette import Palette
from .state import RunState
from .view import View, panned, visible

# Where the picture would be lower, the notes have to stand beside the legend.
_HEIGHT_FOR_NOTES = 12
_WIDTH_FOR_NAMES = 54


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
        width, height = size
        num_over = 2 if height >= _HEIGHT_FOR_NOTES else 1
        if width < plot.MIN_WIDTH or height - num_over < plot.MIN_HEIGHT:
            self._kept = replace(self._kept, frame=None)
            return None
        marks = marks_of(state)
        frame = build_frame(columns, marks, view, (width, height - num_over), self._kept)
        self._kept = replace(self._kept, frame=frame)
        if frame is None:
            return None
        reading = reading_at(columns, view, view.cursor, self._kept.smoother)
        items = legend_items(reading, marks, view, palette, names=width >= _WIDTH_FOR_NAMES)
        over = _over(items, note_items(frame, marks, view, palette), width, num_over)
        return [*over, *plot.draw(frame, palette).rows()]

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
        return panned(view, extent, (place - nearest) / (high - low))


def _over(items: list[Words], notes: list[Words], width: int, num_lines: int) -> list[Words]:
    """The legend and the notes; a long legend takes the notes' line."""
    if num_lines == 1:
        return fitted([*items, *notes], width, 1)
    legend = fitted(items, width, 2)
    return legend if legend[1] else [legend[0], fitted(notes, width, 1)[0]]
