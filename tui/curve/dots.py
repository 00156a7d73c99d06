"""Lines as dots: which dots of a grid the points of a line and the straight parts between hit.

plotext draws lines, too, but in Python and dot by dot: four points for each column of a noisy
curve take it 75 to 95 ms at 160x45, this about 1 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .columns import Floats, Ints

    Grid = NDArray[np.bool_]

# The bits of braille's two by four dots, from the top.
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BLANK_BRAILLE = 0x2800


def dots_of(values: Floats, low: float, high: float, dots: int) -> Floats:
    """Values in dots, whole numbers from 0 at the low end of an axis; nan stays nan."""
    # halves first: the extent of an axis from -1e300 to 1e300 is a number, its multiple may not be
    shares = (values / 2 - low / 2) / (high / 2 - low / 2)
    return np.floor(np.round(shares * (dots - 1), 8) + 0.5)


def line_dots(xs: Floats, ys: Floats, width: int, height: int) -> Grid:
    """The grid with a line in it, row 0 at the bottom.

    Args:
        xs: places of the points in dots, rising; those outside 0 to width are cut off.
        ys: their heights in dots, within the grid; nan breaks the line.
        width: of the grid.
        height: of the grid.
    """
    grid = np.zeros((height, width), np.bool_)
    is_point = np.isfinite(ys) & (xs >= 0) & (xs < width)
    grid[ys[is_point].astype(np.int64), xs[is_point].astype(np.int64)] = True
    is_joined = np.isfinite(ys[:-1]) & np.isfinite(ys[1:]) & (xs[1:] >= 0) & (xs[:-1] < width)
    starts, ends = (np.stack((xs[part], ys[part])) for part in (slice(None, -1), slice(1, None)))
    dots_x, dots_y = _between(*_cut(starts[:, is_joined], ends[:, is_joined], width - 1))
    grid[dots_y, dots_x] = True
    return grid


def _cut(starts: Floats, ends: Floats, last: int) -> tuple[Floats, Floats]:
    """Segments cut off at both sides of the grid."""
    direction = ends - starts
    with np.errstate(divide="ignore", invalid="ignore"):
        enter = np.where(starts[0] < 0, -starts[0] / direction[0], 0.0)
        leave = np.where(ends[0] > last, (last - starts[0]) / direction[0], 1.0)
    return np.rint(starts + enter * direction), np.rint(starts + leave * direction)


def _between(starts: Floats, ends: Floats) -> tuple[Ints, Ints]:
    """All dots of straight segments, so many of each as its longer side has."""
    direction = ends - starts
    counts = np.abs(direction).max(axis=0, initial=0).astype(np.int64)
    segment = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = number / np.maximum(counts, 1)[segment]
    xs, ys = starts[:, segment] + share * direction[:, segment]
    return np.rint(xs).astype(np.int64), np.rint(ys).astype(np.int64)


def braille(grid: Grid) -> NDArray[np.str_]:
    """The characters of a grid of four rows and two columns of dots a cell, blanks where none is.

    The first row of the characters is the top.
    """
    rows, columns = grid.shape[0] // 4, grid.shape[1] // 2
    cells = grid[::-1].reshape(rows, 4, columns, 2)
    codes = np.einsum("rycx,yx->rc", cells.astype(np.int64), _BITS)
    codes = np.where(codes, codes + _BLANK_BRAILLE, ord(" ")).astype(np.uint32)
    return codes.view("<U1").reshape(rows, columns)
