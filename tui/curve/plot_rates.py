"""The frame of a learning-rate range test drawn in characters by plotext."""

import math
from collections.abc import Sequence

import msgspec
import plotext

from .axes import Axis
from .rate_curve import Points, RateFrame

Colour = tuple[int, int, int]

# Below this plotext's output is a line taller than asked for.
MIN_WIDTH, MIN_HEIGHT = 30, 6


class RateStyle(msgspec.Struct, frozen=True):
    """How the points, the line and the marks of a learning-rate range test are told apart."""

    loss_marker: str = "•"
    smoothed_marker: str = "braille"
    suggestion_marker: str = "◆"
    lowest_marker: str = "▼"
    loss_colour: Colour | None = None
    smoothed_colour: Colour | None = None
    mark_colour: Colour | None = None


PLAIN_RATES = RateStyle(".", "x", "S", "L")
COLOURED_RATES = RateStyle(
    loss_colour=(86, 180, 233), smoothed_colour=(230, 159, 0), mark_colour=(255, 255, 255)
)


def draw_rates(frame: RateFrame, style: RateStyle) -> str:
    """The frame as lines of text with ANSI colours, `frame.width` by `frame.height` cells."""
    marks = (
        (frame.lowest, style.lowest_marker),
        (frame.suggestion, style.suggestion_marker),
    )
    return _draw(
        (frame.width, frame.height),
        (frame.x_axis, frame.y_axis),
        [
            _Series(frame.losses, style.loss_marker, style.loss_colour, is_joined=False),
            _Series(frame.smoothed, style.smoothed_marker, style.smoothed_colour),
        ],
        [_Mark(point, marker, style.mark_colour) for point, marker in marks if point],
    )


class _Series(msgspec.Struct, frozen=True):
    """A line, or its points alone."""

    line: Points
    marker: str
    colour: Colour | None
    is_joined: bool = True


class _Mark(msgspec.Struct, frozen=True):
    """One point of its own kind."""

    point: tuple[float, float]
    marker: str
    colour: Colour | None


def _draw(
    size: tuple[int, int],
    axes: tuple[Axis, Axis],
    series: Sequence[_Series],
    marks: Sequence[_Mark],
) -> str:
    """Draw series and then marks, in so many cells across and up."""
    (width, height), (x_axis, y_axis) = size, axes
    has_braille = any(each.marker == "braille" for each in series)
    dots_across, dots_up = (2, 4) if has_braille else (1, 1)
    x_range = _Range.of(x_axis, width - 2 - max(map(len, y_axis.labels)), dots_across)
    y_range = _Range.of(y_axis, height - 3, dots_up)

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)  # the picture is as large as asked, whatever the terminal
    plotext.plot_size(width, height)
    for each in series:
        _draw_series(each)
    for mark in marks:
        x, y = x_range.middle_of_cell(mark.point[0]), y_range.middle_of_cell(mark.point[1])
        plotext.scatter([x], [y], marker=mark.marker, color=mark.colour)
    plotext.xlim(x_range.low, x_range.high)
    plotext.ylim(y_range.low, y_range.high)
    plotext.xticks([*map(x_range.middle_of_cell, x_axis.ticks)], x_axis.labels)
    plotext.yticks([*map(y_range.middle_of_cell, y_axis.ticks)], y_axis.labels)
    picture: str = plotext.build().rstrip("\n")
    is_coloured = any(each.colour is not None for each in series)
    return picture if is_coloured else str(plotext.uncolorize(picture))


class _Range(msgspec.Struct, frozen=True):
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
        place = 0.5 + (self.cells * self.dots - 1) * (value - self.low) / extent
        dot = math.floor(round(place, 8))  # as plotext does, or a tie goes to another dot
        return self.low + dot // self.dots / (self.cells - 1) * extent


def rate_legend(style: RateStyle) -> str:
    """What stands for what, in one line."""
    return _legend(
        (style.loss_marker, style.loss_colour, "loss"),
        (style.smoothed_marker, style.smoothed_colour, "smoothed"),
        (style.suggestion_marker, style.mark_colour, "suggestion"),
        (style.lowest_marker, style.mark_colour, "lowest"),
    )


def _legend(*samples: tuple[str, Colour | None, str]) -> str:
    return "   ".join(
        f"{_coloured('──' if marker == 'braille' else marker, colour)} {name}"
        for marker, colour, name in samples
    )


def _coloured(text: str, colour: Colour | None) -> str:
    if colour is None:
        return text
    return "\x1b[38;2;{};{};{}m{}\x1b[0m".format(*colour, text)


def _draw_series(series: _Series) -> None:
    # A line draws nothing for a lone point between two gaps, so the points are set first.
    line, marker, colour = series.line, series.marker, series.colour
    plotext.scatter(line.xs, line.ys, marker=marker, color=colour)
    if series.is_joined:
        plotext.plot(line.xs, line.ys, marker=marker, color=colour)
