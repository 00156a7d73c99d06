"""The loss curve as a drawable frame: what to draw, where, on which axes. No Textual, no plotext.

A frame holds at most a few points for each column of the picture, whatever the length of the
run. Of every column the smallest and the largest value stay, and so do the first and the last
point of the run: a spike is never lost. A loss that was not finite is a gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .history import History

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# The dots of a braille cell: two columns.
_COLUMNS_PER_CELL = 2
# Beyond this the length of an axis would not be a number any more.
_FARTHEST = 1e300


@dataclass(frozen=True)
class Axis:
    """The range of an axis and its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One series' points, in the order they were measured; nan breaks the line."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]


@dataclass(frozen=True)
class Frame:
    """Everything that a picture of the curve shows."""

    width: int
    height: int
    x_axis: Axis
    y_axis: Axis
    train: Line
    val: Line
    best: tuple[float, float] | None


def build_frame(
    history: History, *, best_epoch: int | None, width: int, height: int
) -> Frame | None:
    """The frame of a history in so many character cells; None when there is nothing to draw."""
    if not len(history):
        return None
    import numpy as np

    epochs, train, val = history.epochs, history.column("train_loss"), history.column("val_loss")
    both = np.concatenate((train, val))
    finite = np.clip(both[np.isfinite(both)], -_FARTHEST, _FARTHEST)
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    columns = max(2, width * _COLUMNS_PER_CELL)
    return Frame(
        width=width,
        height=height,
        x_axis=epoch_axis(int(epochs[0]), int(epochs[-1]), max_ticks=max(2, width // 10)),
        y_axis=loss_axis(low, high, max(2, height // 3)),
        train=Line("train", *_decimate(epochs, train, columns)),
        val=Line("validation", *_decimate(epochs, val, columns)),
        best=_best_point(epochs, val, best_epoch),
    )


def epoch_axis(first: int, last: int, *, max_ticks: int) -> Axis:
    """An axis of whole epochs, which grows in steps so that few cells of the screen change."""
    step = max(1, math.ceil(_round_step((last - first) / max_ticks)))
    high = max(first + 1, math.ceil(last / step) * step)
    ticks = sorted({first, *range(step, high + 1, step)} - set(range(first)))
    if len(ticks) > 1 and ticks[1] - ticks[0] < step / 2:
        del ticks[1]
    return Axis(first, high, tuple(map(float, ticks)), tuple(f"{tick:,}" for tick in ticks))


def loss_axis(low: float, high: float, max_ticks: int) -> Axis:
    """An axis that holds all losses between round ticks."""
    if low == high:
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    step = _round_step((high - low) / max_ticks)
    # rounding in the last digit must neither add a tick nor leave a loss outside the axis
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [number * step for number in range(first, last + 1)]
    largest = max(abs(ticks[0]), abs(ticks[-1]))
    labels = tuple(_label(tick, step, largest) for tick in ticks)
    return Axis(min(low, ticks[0]), max(high, ticks[-1]), tuple(ticks), labels)


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


def _best_point(
    epochs: npt.NDArray[np.int64], val: npt.NDArray[np.float64], best_epoch: int | None
) -> tuple[float, float] | None:
    if best_epoch is None or best_epoch not in epochs:
        return None
    return best_epoch, float(val[(epochs == best_epoch).argmax()])


def _decimate(
    epochs: npt.NDArray[np.int64], losses: npt.NDArray[np.float64], columns: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Keep each column's smallest and largest loss, its gaps, and the first and last point."""
    kept = {0, len(epochs) - 1}
    if len(epochs) <= 2 * columns:
        kept = set(range(len(epochs)))
    else:
        for column in range(columns):
            start, end = (len(epochs) * side // columns for side in (column, column + 1))
            kept |= {start + index for index in _extremes(losses[start:end])}
    indices = sorted(kept)
    return tuple(epochs[indices].astype(float).tolist()), tuple(losses[indices].tolist())


def _extremes(losses: npt.NDArray[np.float64]) -> set[int]:
    import numpy as np

    missing = ~np.isfinite(losses)
    kept = {int(missing.argmax())} if missing.any() else set()
    if not missing.all():
        kept |= {int(np.nanargmin(losses)), int(np.nanargmax(losses))}
    return kept
