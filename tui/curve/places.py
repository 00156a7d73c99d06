"""Where on the x axis the epochs are: by their number, their steps or their time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ..look.view import X_AXES, Extent, XAxis
from .columns import Columns

if TYPE_CHECKING:
    from .columns import Floats, Ints


class Places(msgspec.Struct, frozen=True):
    """The x of every epoch, worked out only for those that are drawn.

    What is measured after an epoch is placed at its end. The train loss is a mean over the epoch,
    so it is placed at its middle: half an epoch early, where it was measured.

    Args:
        ends: where the epochs end, never falling.
        start: where the first of them began.
        at_middle: whether the places are the epochs' middles.
    """

    ends: Floats | Ints
    start: float
    at_middle: bool = False

    def __len__(self) -> int:
        return len(self.ends)

    def at(self, indices: Ints) -> Floats:
        """The x of some epochs, by their index."""
        ends = self.ends[indices].astype(np.float64)
        if not self.at_middle:
            return ends
        before = np.where(indices > 0, self.ends[np.maximum(indices - 1, 0)], self.start)
        return (before + ends) / 2

    def first_from(self, xs: Floats) -> Ints:
        """For each x the index of the first epoch at it or to its right."""
        wanted = np.asarray(xs, np.float64)
        if self.ends.dtype.kind == "i":  # or numpy would make floats of a million steps
            wanted = np.ceil(np.clip(wanted, -(2.0**62), 2.0**62)).astype(np.int64)
        indices = np.searchsorted(self.ends, wanted)
        if self.at_middle and len(self):
            inside = np.minimum(indices, len(self) - 1)
            is_left = (indices < len(self)) & (self.at(inside) < xs)
            indices = indices + is_left
        return indices

    @property
    def extent(self) -> Extent:
        """From the start of the first epoch to the end of the last."""
        return self.start, float(self.ends[-1])

    @property
    def is_spread(self) -> bool:
        """Whether the last epoch ends farther on than the first began."""
        return self.start < float(self.ends[-1])


def places_of(history: Columns, x_axis: XAxis, *, at_middle: bool = False) -> Places:
    """The places of a history with at least one epoch on one of the axes.

    Where the history does not spread out on it, as without steps in its journal, by epoch.
    """
    places = _places_on(history, x_axis, at_middle=at_middle)
    return places if places.is_spread else _places_on(history, "epoch", at_middle=at_middle)


def measured_axes(histories: Iterable[Columns]) -> tuple[XAxis, ...]:
    """The axes on which all of these histories spread out; by epoch every one does."""
    known = [history for history in histories if len(history)]
    return tuple(
        axis
        for axis in X_AXES
        if axis == "epoch" or all(_places_on(each, axis).is_spread for each in known)
    )


def _places_on(history: Columns, x_axis: XAxis, *, at_middle: bool = False) -> Places:
    match x_axis:
        case "epoch":
            return Places(history.epochs, float(history.epochs[0] - 1), at_middle)
        case "step":
            return Places(history.steps, _first_step(history), at_middle)
        case "time":
            return Places(history.seconds, min(0.0, float(history.seconds[0])), at_middle)


def _first_step(history: Columns) -> float:
    """The steps before the first epoch: none, unless the history begins later."""
    epoch, step = int(history.epochs[0]), int(history.steps[0])
    return step * (epoch - 1) / epoch if epoch > 0 else 0.0


def place_of_epoch(history: Columns, x_axis: XAxis, epoch: int) -> float:
    """Where an epoch ends; one still to come lies as far ahead as the mean epoch takes it."""
    places = places_of(history, x_axis)
    index = int(np.searchsorted(history.epochs, epoch))
    if index < len(history):
        return float(places.ends[index])
    low, high = places.extent
    first, last = int(history.epochs[0]), int(history.epochs[-1])
    num_epochs = max(1, last - first + 1)  # in a foreign journal they need not rise
    return high + (epoch - last) * (high - low) / num_epochs


def nearest_epoch(history: Columns, x_axis: XAxis, x: float) -> int:
    """The epoch whose end is nearest to an x."""
    places = places_of(history, x_axis)
    index = min(int(places.first_from(np.array([x]))[0]), len(history) - 1)
    if index and x - float(places.ends[index - 1]) < float(places.ends[index]) - x:
        index -= 1
    return int(history.epochs[index])


def carried_over(window: Extent | None, history: Columns, old: XAxis, new: XAxis) -> Extent | None:
    """A window of one x axis on another."""
    if window is None or not len(history):
        return None
    before, after = places_of(history, old), places_of(history, new)
    low, high = (_moved(x, before, after) for x in window)
    return (low, high) if low < high else None


def _moved(x: float, before: Places, after: Places) -> float:
    """The same point of the same epoch on another axis; only that epoch's ends are looked at."""
    index = int(before.first_from(np.array([x]))[0])
    if index == len(before):
        return float(after.ends[-1])
    began, begins = (
        float(each.ends[index - 1]) if index else each.start for each in (before, after)
    )
    length = float(before.ends[index]) - began
    part = min(1.0, max(0.0, (x - began) / length)) if length else 1.0
    return begins + part * (float(after.ends[index]) - begins)
