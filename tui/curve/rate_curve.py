"""The curve of a learning-rate range test as a drawable frame: the loss over the rate's logarithm.

What lies above the picture is drawn at its upper edge: a loss that explodes would flatten all that
is worth seeing.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from .axes import Axis, decade_axis, loss_axis

if TYPE_CHECKING:
    from ...core.training.lr_range import LrRange

# The picture is so many times as high as the smoothed losses up to the lowest.
_ROOM = 1.25
_CELLS_A_TICK = 9


class Points(msgspec.Struct, frozen=True):
    """Points in the order they were measured; nan breaks the line between them."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]


class RateFrame(msgspec.Struct, frozen=True):
    """Everything that a picture of a range test shows; rates as their logarithms to base 10."""

    width: int
    height: int
    x_axis: Axis
    y_axis: Axis
    losses: Points
    smoothed: Points
    suggestion: tuple[float, float] | None
    lowest: tuple[float, float] | None
    has_losses_above: bool


def build_rate_frame(found: "LrRange", *, width: int, height: int) -> RateFrame | None:
    """The frame of a range test in so many character cells; None when no loss was finite."""
    finite = [loss for loss in found.losses if math.isfinite(loss)]
    if not finite:
        return None
    xs = tuple(math.log10(rate) for rate in found.rates)
    low, high = _visible(found, finite)
    points = dict(zip(found.rates, zip(xs, found.smoothed, strict=True), strict=True))
    return RateFrame(
        width=width,
        height=height,
        x_axis=decade_axis(xs[0], xs[-1], max(2, width // _CELLS_A_TICK)),
        y_axis=loss_axis(low, high, max(2, height // 3)),
        losses=Points(xs, _cut(found.losses, high)),
        smoothed=Points(xs, _cut(found.smoothed, high)),
        suggestion=points.get(found.suggestion) if found.suggestion else None,
        lowest=points.get(found.lowest_at) if found.lowest_at else None,
        has_losses_above=max(finite) > high,
    )


def _visible(found: "LrRange", finite: Sequence[float]) -> tuple[float, float]:
    """The range of losses to show: down from where they begin, and some room for the rise."""
    if found.lowest_at is None:
        num_first = max(1, len(finite) // 10)
    else:
        num_first = found.rates.index(found.lowest_at) + 1
    low, began = min(finite), max(found.smoothed[:num_first])
    room = _ROOM * (began - low) if began > low else abs(low)
    return low, min(max(finite), low + room)


def _cut(losses: Sequence[float], high: float) -> tuple[float, ...]:
    return tuple(min(loss, high) if math.isfinite(loss) else math.nan for loss in losses)
