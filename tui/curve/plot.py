"""A frame drawn in characters: plotext draws the axes, the lines and marks come into them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import plotext

from ..look.palette import BRAILLE, Palette, Role
from .axes import Axis
from .dots import braille, dots_of, line_dots
from .frame import Frame
from .line import Line
from .picture import Picture, coloured

if TYPE_CHECKING:
    from .columns import Floats

# Below this plotext's output is a line taller than asked for.
MIN_WIDTH, MIN_HEIGHT = 30, 6

_TO_ASCII = str.maketrans("─│┌┐└┘┬┴├┤┼", "-|+++++++++")
_DOTS_ACROSS, _DOTS_UP = 2, 4
# The cells of a canvas on which only one of its axes is wanted.
_LEAST = 3


def draw(frame: Frame, palette: Palette) -> Picture:
    """The frame as `frame.width` by `frame.height` cells."""
    picture = axes_picture(
        (frame.width, frame.height),
        (frame.cells_across, frame.cells_up),
        (frame.x_axis, frame.y_axis, frame.right_axis),
    ).copy()
    if palette.glyphs.is_ascii:
        _make_ascii(picture)
    left, across, up = frame.left_of_canvas, frame.cells_across, frame.cells_up
    _colour_right_axis(picture, frame)
    canvas = picture.canvas(left, 1, across, up)
    _draw_lines(canvas, frame, palette)
    _draw_rules(canvas, frame, palette)
    _draw_signs(canvas, frame, palette)
    border = picture.canvas(left, 1 + up, across, 1)
    labels = picture.canvas(0, 2 + up, frame.width, 1)
    _draw_on_x_axis(border, labels, frame, palette)
    return picture


@lru_cache(maxsize=8)
def axes_picture(
    size: tuple[int, int], cells: tuple[int, int], axes: tuple[Axis, Axis, Axis | None]
) -> Picture:
    """The borders with their ticks and labels, from a low picture and a narrow one.

    plotext's time goes with the cells of the canvas, which stays blank here.
    """
    (width, height), (across, up) = size, cells
    low = _axes_alone((width, height - up + _LEAST), (across, _LEAST), axes)
    narrow = _axes_alone((width - across + _LEAST, height), (_LEAST, up), axes)
    left = 1 + max(map(len, axes[1].labels))
    sides = [line[:left] + " " * across + line[left + _LEAST :] for line in narrow[1 : 1 + up]]
    return Picture.of_lines([low[0], *sides, *low[1 + _LEAST :]], width, "axis")


def _axes_alone(
    size: tuple[int, int], cells: tuple[int, int], axes: tuple[Axis, Axis, Axis | None]
) -> list[str]:
    """A picture without lines. Whole cells are plotext's units here."""
    x_axis, y_axis, right_axis = axes
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # the picture is as large as asked, whatever the terminal
    plotext.plot_size(*size)
    plotext.xlim(0, cells[0] - 1)
    plotext.xticks(*_ticks(x_axis, cells[0], _DOTS_ACROSS))
    for axis, side in ((y_axis, "left"), (right_axis, "right")):
        if axis is not None:
            plotext.scatter([0], [0], marker=" ", yside=side)  # without a point there are no ticks
            plotext.ylim(0, cells[1] - 1, yside=side)
            plotext.yticks(*_ticks(axis, cells[1], _DOTS_UP), yside=side)
    return str(plotext.uncolorize(plotext.build())).rstrip("\n").split("\n")


def _ticks(axis: Axis, cells: int, dots_a_cell: int) -> tuple[list[int], list[str]]:
    """The cells of an axis's ticks and their labels: the last where several fall into one.

    Of those plotext would write any, another one in each process.
    """
    places = _cells_of(axis.ticks, axis, cells, dots_a_cell)
    labels = dict(zip(places, axis.labels, strict=True))
    return list(labels), list(labels.values())


def _cells_of(values: Sequence[float], axis: Axis, cells: int, dots_a_cell: int) -> list[int]:
    """The cells of values: those of the dots that a line would have there."""
    dots = dots_of(np.array(values, np.float64), axis.low, axis.high, cells * dots_a_cell)
    return [int(dot) // dots_a_cell for dot in dots]


def _column(x: float, frame: Frame) -> int:
    return _cells_of([x], frame.x_axis, frame.cells_across, _DOTS_ACROSS)[0]


def _row(y: float, axis: Axis, frame: Frame) -> int:
    """The row of the canvas, 0 at the top."""
    return frame.cells_up - 1 - _cells_of([y], axis, frame.cells_up, _DOTS_UP)[0]


def _make_ascii(picture: Picture) -> None:
    for row, characters in enumerate(picture.characters):
        picture.characters[row] = list("".join(characters.tolist()).translate(_TO_ASCII))


def _colour_right_axis(picture: Picture, frame: Frame) -> None:
    if frame.right_axis is None:
        return
    start = frame.left_of_canvas + frame.cells_across
    part = picture.canvas(start, 1, frame.width - start, frame.cells_up)
    part.lay_over(part.characters.copy(), "right")


def _draw_lines(canvas: Picture, frame: Frame, palette: Palette) -> None:
    for line in frame.right_lines:
        if frame.right_axis is not None:
            _draw_line(canvas, line, (frame.x_axis, frame.right_axis), palette)
    for line in frame.lines:
        _draw_line(canvas, line, (frame.x_axis, frame.y_axis), palette)


def _draw_line(canvas: Picture, line: Line, axes: tuple[Axis, Axis], palette: Palette) -> None:
    """One line in dots, or in its letter where it has one."""
    (x_axis, y_axis), (rows, columns) = axes, canvas.characters.shape
    xs = dots_of(line.xs, x_axis.low, x_axis.high, columns * _DOTS_ACROSS)
    ys = dots_of(line.ys, y_axis.low, y_axis.high, rows * _DOTS_UP)
    letter = palette.glyphs.lines.get(line.role, BRAILLE)
    if letter == BRAILLE:
        grid = line_dots(xs, ys, columns * _DOTS_ACROSS, rows * _DOTS_UP)
        canvas.lay_over(braille(grid), line.role)
        return
    grid = line_dots(xs // _DOTS_ACROSS, ys // _DOTS_UP, columns, rows)
    canvas.lay_over(np.where(grid[::-1], letter, " "), line.role)


def _draw_rules(canvas: Picture, frame: Frame, palette: Palette) -> None:
    """Straight marks, which never hide a line: they fill what is blank."""
    glyphs, everywhere = palette.glyphs, slice(None)
    if frame.cursor is not None:
        canvas.lay_under(everywhere, _column(frame.cursor, frame), glyphs.cursor, "cursor")
    if frame.stop is not None:
        column = _column(frame.stop.low, frame)
        text = frame.stop.label
        beside = column - len(text) - 1 if column > len(text) else column + 2
        canvas.put_into_blanks(0, beside, text, "stop")
        canvas.lay_under(everywhere, column, glyphs.stop, "stop")
    _draw_would_stop(canvas, frame, palette)
    if frame.target is not None:
        row = _row(frame.target, frame.y_axis, frame)
        canvas.lay_under(row, everywhere, glyphs.target, "target")


def _draw_would_stop(canvas: Picture, frame: Frame, palette: Palette) -> None:
    """A rule for each column where others would have stopped, under their letters."""
    letters: dict[int, str] = {}
    for span in frame.would_stop:
        column = _column(span.low, frame)
        letters[column] = letters.get(column, "") + span.label
    for column, text in letters.items():
        canvas.lay_under(slice(None), column, palette.glyphs.stop, "stop")
        start = max(0, min(column - len(text) // 2, frame.cells_across - len(text)))
        # one row for each: letters of neighbours would read as those of one column
        row = next((row for row in range(frame.cells_up) if _has_room(canvas, row, start, text)), 0)
        canvas.put(row, start, text, "best")


def _has_room(canvas: Picture, row: int, start: int, text: str) -> bool:
    around = canvas.characters[row, max(0, start - 1) : start + len(text) + 1]
    return not bool(np.char.isalpha(around).any())


def _draw_signs(canvas: Picture, frame: Frame, palette: Palette) -> None:
    """The best epochs, and at the edges what lies beyond them."""
    glyphs, bottom = palette.glyphs, frame.cells_up - 1
    for line in (*frame.right_lines, *frame.lines):
        for places, row, glyph in (
            (line.above, 0, glyphs.above),
            (line.below, bottom, glyphs.below),
            (line.unplottable, bottom, glyphs.below),
        ):
            for column in _columns(places, frame):
                canvas.put(row, column, glyph, line.role)
    if frame.best is not None:
        row, column = _row(frame.best[1], frame.y_axis, frame), _column(frame.best[0], frame)
        canvas.put(row, column, glyphs.best, "best")
    for best in frame.bests:
        row, column = _row(best.y, frame.y_axis, frame), _column(best.x, frame)
        canvas.put(row, column, glyphs.best, best.role)


def _columns(places: Floats, frame: Frame) -> list[int]:
    cells = _cells_of(places.tolist(), frame.x_axis, frame.cells_across, _DOTS_ACROSS)
    return sorted({min(max(cell, 0), frame.cells_across - 1) for cell in cells})


def _draw_on_x_axis(border: Picture, labels: Picture, frame: Frame, palette: Palette) -> None:
    """Patience as a rule, resumptions, and the epochs whose loss was no number."""
    glyphs = palette.glyphs
    if frame.patience is not None:
        start, end = (_column(x, frame) for x in (frame.patience.low, frame.patience.high))
        border.put(0, start, glyphs.rule * (end - start), "patience")
        border.put(0, end, glyphs.rule_end if frame.patience.label else glyphs.rule, "patience")
        _label_patience(labels, frame.left_of_canvas + end, frame.patience.label)
    for place in frame.resumed:
        border.put(0, _column(place, frame), glyphs.resumed, "resumed")
    for column in _columns(frame.bad, frame):
        border.put(0, column, glyphs.bad, "bad")


def _label_patience(labels: Picture, column: int, label: str) -> None:
    """The epoch at which patience ends, in the row of the ticks' labels if there is room."""
    start = min(column - len(label) // 2, labels.characters.shape[1] - len(label))
    labels.put_into_blanks(0, start, label, "patience")


def legend(palette: Palette) -> str:
    """What stands for what, in one line."""
    samples: tuple[tuple[Role, str], ...] = (("train", "train loss"), ("val", "validation loss"))
    parts = [f"{coloured(palette.sample(role), role, palette)} {name}" for role, name in samples]
    return "   ".join([*parts, f"{coloured(palette.glyphs.best, 'best', palette)} best"])
