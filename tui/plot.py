"""A frame drawn in characters. The only file that knows plotext."""

import math
from dataclasses import dataclass

import plotext

from .curve import Axis, Frame, Line

Colour = tuple[int, int, int]

# Below this plotext's output is a line taller than asked for.
MIN_WIDTH, MIN_HEIGHT = 30, 6


@dataclass(frozen=True)
class Style:
    """How the series are told apart: markers, and colours where there are any."""

    train_marker: str = "braille"
    val_marker: str = "braille"
    best_marker: str = "◆"
    train_colour: Colour | None = None
    val_colour: Colour | None = None
    best_colour: Colour | None = None

    @property
    def is_coloured(self) -> bool:
        """Whether the picture holds colours at all."""
        return self.train_colour is not None


# Without colours the two lines need characters of their own.
PLAIN = Style(train_marker=".", val_marker="x", best_marker="O")
COLOURED = Style(train_colour=(86, 180, 233), val_colour=(230, 159, 0), best_colour=(255, 255, 255))


def draw(frame: Frame, style: Style) -> str:
    """The frame as lines of text with ANSI colours, `frame.width` by `frame.height` cells."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # the picture is as large as asked, whatever the terminal
    plotext.plot_size(frame.width, frame.height)
    _draw_line(frame.train, style.train_marker, style.train_colour)
    _draw_line(frame.val, style.val_marker, style.val_colour)
    if frame.best is not None:
        x, y = frame.best
        if style.val_marker == "braille":
            x, y = _on_the_line(x, y, frame)
        plotext.scatter([x], [y], marker=style.best_marker, color=style.best_colour)
    plotext.xlim(frame.x_axis.low, frame.x_axis.high)
    plotext.ylim(frame.y_axis.low, frame.y_axis.high)
    plotext.xticks(frame.x_axis.ticks, frame.x_axis.labels)
    plotext.yticks(frame.y_axis.ticks, frame.y_axis.labels)
    picture: str = plotext.build().rstrip("\n")
    return picture if style.is_coloured else str(plotext.uncolorize(picture))


def _on_the_line(x: float, y: float, frame: Frame) -> tuple[float, float]:
    """A point moved to the middle of the cell through which braille draws its line.

    plotext rounds a braille dot to a quarter of a cell and a mark to a whole one, which may be
    the cell beside the line.
    """
    columns = frame.width - 2 - max(map(len, frame.y_axis.labels))
    rows = frame.height - 3
    return (
        _middle_of_cell(x, frame.x_axis, cells=columns, dots=2),
        _middle_of_cell(y, frame.y_axis, cells=rows, dots=4),
    )


def _middle_of_cell(value: float, axis: Axis, *, cells: int, dots: int) -> float:
    extent = axis.high - axis.low
    if cells < 2 or not math.isfinite(value):
        return value
    dot = math.floor(0.5 + (value - axis.low) / extent * (cells * dots - 1))
    return axis.low + dot // dots / (cells - 1) * extent


def legend(style: Style) -> str:
    """What stands for what, in one line."""
    samples = (
        (style.train_marker, style.train_colour, "train loss"),
        (style.val_marker, style.val_colour, "validation loss"),
        (style.best_marker, style.best_colour, "best"),
    )
    return "   ".join(
        f"{_coloured('──' if marker == 'braille' else marker, colour)} {name}"
        for marker, colour, name in samples
    )


def _coloured(text: str, colour: Colour | None) -> str:
    if colour is None:
        return text
    return "\x1b[38;2;{};{};{}m{}\x1b[0m".format(*colour, text)


def _draw_line(line: Line, marker: str, colour: Colour | None) -> None:
    # A line draws nothing for a lone point between two gaps, so the points are set first.
    plotext.scatter(line.xs, line.ys, marker=marker, color=colour)
    plotext.plot(line.xs, line.ys, marker=marker, color=colour)
