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
    dots_across, dots_up = (2, 4) if style.val_marker == "braille" else (1, 1)
    columns = frame.width - 2 - max(map(len, frame.y_axis.labels))
    rows = frame.height - 3
    x_range = _Range.of(frame.x_axis, columns, dots_across)
    y_range = _Range.of(frame.y_axis, rows, dots_up)

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # the picture is as large as asked, whatever the terminal
    plotext.plot_size(frame.width, frame.height)
    _draw_line(frame.train, style.train_marker, style.train_colour)
    _draw_line(frame.val, style.val_marker, style.val_colour)
    if frame.best is not None:
        x, y = x_range.middle_of_cell(frame.best[0]), y_range.middle_of_cell(frame.best[1])
        plotext.scatter([x], [y], marker=style.best_marker, color=style.best_colour)
    plotext.xlim(x_range.low, x_range.high)
    plotext.ylim(y_range.low, y_range.high)
    plotext.xticks([*map(x_range.middle_of_cell, frame.x_axis.ticks)], frame.x_axis.labels)
    plotext.yticks([*map(y_range.middle_of_cell, frame.y_axis.ticks)], frame.y_axis.labels)
    picture: str = plotext.build().rstrip("\n")
    return picture if style.is_coloured else str(plotext.uncolorize(picture))


@dataclass(frozen=True)
class _Range:
    """An axis in cells, each of one dot or of the two or four that braille has.

    plotext puts an axis's ends on the outermost dots, but its ticks and marks into the middle of
    the outermost cells: a loss of 0 would be drawn below the tick 0, a mark beside its line. So
    the range is widened by less than half a cell, and ticks and marks go into the cells of the
    dots that they belong to.
    """

    low: float
    high: float
    cells: int
    dots: int

    @classmethod
    def of(cls, axis: Axis, cells: int, dots: int) -> "_Range":
        cells = max(cells, 2)
        margin = (axis.high - axis.low) * (dots - 1) / (2 * dots * (cells - 1))
        return cls(axis.low - margin, axis.high + margin, cells, dots)

    def middle_of_cell(self, value: float) -> float:
        if not math.isfinite(value):
            return value
        extent = self.high - self.low
        dot = math.floor(0.5 + (value - self.low) / extent * (self.cells * self.dots - 1))
        return self.low + dot // self.dots / (self.cells - 1) * extent


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
