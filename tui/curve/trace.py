"""A series within what is visible: its values there, their range, and those that do not fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ..look.palette import Role
from ..look.view import Extent, Scale, View
from .axes import FARTHEST
from .columns import Columns
from .places import Places, places_of
from .series import LOSSES, Series, right_series, values_of
from .smoothing import Smoother

if TYPE_CHECKING:
    from .columns import Floats

_SAMPLE = 20_000


class Trace(msgspec.Struct, frozen=True):
    """One line to draw: values, their places, and which of them are visible."""

    series: Series
    role: Role
    places: Places
    values: Floats
    start: int
    end: int
    is_raw: bool = True

    @property
    def visible(self) -> Floats:
        """The values within the window."""
        return self.values[self.start : self.end]

    def extent(self, scale: Scale) -> Extent | None:
        """From the smallest to the largest visible value, as they are drawn."""
        values = self.visible
        low, high = _smallest_and_largest(values)
        if scale == "log" and low <= 0:
            low, high = _smallest_and_largest(values[values > 0])
        if math.isnan(low):
            return None
        return float(drawn(np.array(low), scale)), float(drawn(np.array(high), scale))

    def sample(self, scale: Scale) -> Floats:
        """Enough of the finite visible values, as they are drawn, to tell where most are."""
        some = drawn(self.visible[:: max(1, (self.end - self.start) // _SAMPLE)], scale)
        return some[np.isfinite(some)]


def _smallest_and_largest(values: Floats) -> Extent:
    return (
        float(np.fmin.reduce(values, initial=math.nan)),
        float(np.fmax.reduce(values, initial=math.nan)),
    )


def drawn(values: Floats, scale: Scale) -> Floats:
    """Values as coordinates of an axis: logarithms on a logarithmic one, nan without one."""
    if scale == "linear":
        return np.clip(values, -FARTHEST, FARTHEST)
    positive = np.where(values > 0, values, math.nan)
    logarithms: Floats = np.log10(positive)
    return logarithms


def loss_traces(history: Columns, view: View, window: Extent, smoother: Smoother) -> list[Trace]:
    """The losses to show, those in front last."""
    shown = [series for series in reversed(LOSSES) if series.name in view.shown]
    shown.sort(key=lambda series: series.name in ("train_loss", "val_loss"))
    shown.sort(key=lambda series: series.name == "val_loss")
    return [trace for series in shown for trace in _traces(history, series, view, window, smoother)]


def right_traces(history: Columns, view: View, window: Extent, smoother: Smoother) -> list[Trace]:
    """What is shown on the right-hand axis, if anything."""
    if view.right is None:
        return []
    return list(_traces(history, right_series(view.right), view, window, smoother))


def _traces(
    history: Columns, series: Series, view: View, window: Extent, smoother: Smoother
) -> Iterator[Trace]:
    """The line itself, or a smoothed one with the raw one dim behind it."""
    values = values_of(history, series.name)
    if values is None:
        return
    places = places_of(history, view.x_axis, at_middle=series.at_middle)
    start, end = (int(index) for index in places.first_from(np.array(window)))
    end = min(len(values), end + 1)  # what lies on the window's edge is in it
    if not (view.smoothing and series.is_noisy):
        yield Trace(series, series.role, places, values, start, end)
        return
    yield Trace(series, series.raw_role, places, values, start, end)
    smooth = smoother.smooth(series.name, values, view.smoothing)
    yield Trace(series, series.role, places, smooth, start, end, is_raw=False)
