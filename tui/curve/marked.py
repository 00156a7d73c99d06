"""Where the marks of a run lie on the axes, as far as they are visible."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ..look.view import View
from .axes import Axis
from .columns import Columns
from .decimation import first_of_each
from .marks import Marks
from .places import place_of_epoch, places_of
from .trace import drawn

if TYPE_CHECKING:
    from .columns import Floats


class Span(msgspec.Struct, frozen=True):
    """A stretch of the x axis with what to write at its end."""

    low: float
    high: float
    label: str


def bad_places(history: Columns, view: View, edges: Floats) -> tuple[Floats, int]:
    """Where the train or validation loss was not finite, a place a column, and their number."""
    borders = places_of(history, view.x_axis).first_from(edges)
    start, end = int(borders[0]), int(borders[-1])
    is_bad = np.zeros(end - start, np.bool_)
    for name in ("train_loss", "val_loss"):
        if name in history.names:
            is_bad |= np.isnan(history.column(name)[start:end])
    found = np.flatnonzero(is_bad)
    firsts = first_of_each(found, borders[:-1] - start) + start
    return places_of(history, view.x_axis).at(firsts), len(found)


def best_point(
    history: Columns, marks: Marks, view: View, x_axis: Axis, y_axis: Axis
) -> tuple[float, float] | None:
    """The best epoch's validation loss, where both can be shown."""
    if marks.best_epoch is None or "val_loss" not in view.shown:
        return None
    index = int(np.searchsorted(history.epochs, marks.best_epoch))
    if index == len(history) or history.epochs[index] != marks.best_epoch:
        return None
    x = within(x_axis, place(history, view, marks.best_epoch))
    y = ordinate(float(history.column("val_loss")[index]), y_axis)
    return None if x is None or y is None else (x, y)


def patience_span(history: Columns, marks: Marks, view: View, x_axis: Axis) -> Span | None:
    """The patience window as far as it is visible."""
    patience = marks.patience
    if patience is None:
        return None
    low = place_of_epoch(history, view.x_axis, patience.from_epoch)
    high = place_of_epoch(history, view.x_axis, patience.until_epoch)
    if high < x_axis.low or low > x_axis.high:
        return None
    # among steps or minutes a bare number would be one of them
    unit = "" if view.x_axis == "epoch" else "epoch "
    label = f"{unit}{patience.until_epoch:,}" if high <= x_axis.high else ""
    return Span(max(low, x_axis.low), min(high, x_axis.high), label)


def stop_span(history: Columns, marks: Marks, view: View, x_axis: Axis) -> Span | None:
    """Where the run stopped early."""
    x = within(x_axis, place(history, view, marks.stopped_at))
    return None if x is None else Span(x, x, f"stopped at {marks.stopped_at:,}")


def would_stop_spans(history: Columns, marks: Marks, view: View, x_axis: Axis) -> tuple[Span, ...]:
    """Where other rules would have stopped."""
    places = ((place(history, view, epoch), letter) for epoch, letter in marks.would_stop)
    return tuple(
        Span(x, x, letter) for at, letter in places if (x := within(x_axis, at)) is not None
    )


def resumed_places(history: Columns, marks: Marks, view: View, x_axis: Axis) -> tuple[float, ...]:
    """Where the run went on from earlier epochs."""
    places = (within(x_axis, place(history, view, epoch)) for epoch in marks.resumed_after)
    return tuple(place for place in places if place is not None)


def place(history: Columns, view: View, epoch: int | None) -> float | None:
    """The x of an epoch."""
    return None if epoch is None else place_of_epoch(history, view.x_axis, epoch)


def within(axis: Axis, place: float | None) -> float | None:
    """A coordinate if an axis holds it."""
    return place if place is not None and axis.low <= place <= axis.high else None


def ordinate(value: float | None, axis: Axis) -> float | None:
    """A value as it is drawn, if an axis holds it."""
    if value is None or not math.isfinite(value):
        return None
    return within(axis, float(drawn(np.array(value), axis.scale)))
