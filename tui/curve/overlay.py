"""The curves of several runs in one frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from ..look.run_colours import TRAIN_ROLES, VAL_ROLES
from ..look.view import Extent, Scale, View
from .axes import Axis, count_axis, time_axis
from .columns import Columns
from .frame import CELLS_A_TICK, Frame, Point, edges_of, loss_axis_of
from .line import line_of
from .marked import bad_places, best_point
from .marks import Marks
from .places import places_of
from .series import Series
from .trace import Trace

# A validation loss that falls by this factor is drawn by its logarithm when nobody says how.
_ASKS_FOR_LOG = 50.0


class Overlaid(msgspec.Struct, frozen=True):
    """One run in the picture: what the legend calls it, its epochs, its best one."""

    label: str
    history: Columns
    marks: Marks = Marks()


def build_overlay(
    runs: Sequence[Overlaid], view: View, size: tuple[int, int], before: Frame | None = None
) -> Frame | None:
    """The frame of several runs in so many cells; None before any of them has an epoch.

    Args:
        runs: as many as there are roles for.
        view: scale, x axis and whether outliers are clipped; all else of it is not looked at.
        size: width and height in cells.
        before: the frame before, whose axis is kept if it still does.
    """
    width, height = size
    numbered = [(number, run) for number, run in enumerate(runs) if len(run.history)]
    if not numbered:
        return None
    view = View(scale=view.scale, x_axis=view.x_axis, clips=view.clips)
    traces = list(_traces(runs, view))
    x_axis = _x_axis([run.history for _, run in numbered], view, width)
    kept = before.y_axis if before and before.height == height else None
    y_axis = loss_axis_of(traces, Marks(), view, height, kept)
    edges = edges_of(width, x_axis, y_axis)
    bad = [bad_places(run.history, view, edges) for _, run in numbered]
    return Frame(
        width=width,
        height=height,
        x_axis=x_axis,
        y_axis=y_axis,
        right_axis=None,
        lines=tuple(line_of(trace, y_axis, edges) for trace in traces),
        bad=np.concatenate([places for places, _ in bad]),
        num_bad=sum(count for _, count in bad),
        bests=tuple(_bests(numbered, view, x_axis, y_axis)),
    )


def train_series(runs: Sequence[Overlaid]) -> str:
    """The train loss to draw: in evaluation mode, like the validation loss, if all have it."""
    with_epochs = [run for run in runs if len(run.history)]
    has_all = all(
        np.isfinite(run.history.column("train_loss_eval")).any()
        for run in with_epochs
        if np.isfinite(run.history.column("train_loss")).any()
    )
    return "train_loss_eval" if has_all else "train_loss"


def fitting_scale(runs: Sequence[Overlaid]) -> Scale:
    """Logarithmic where the validation losses span much, and all are above 0."""
    extents = [_range(run.history.column("val_loss")) for run in runs if len(run.history)]
    known = [each for each in extents if each is not None]
    if not known or min(low for low, _ in known) <= 0:
        return "linear"
    span = max(high for _, high in known) / min(low for low, _ in known)
    return "log" if span >= _ASKS_FOR_LOG else "linear"


def _range(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Extent | None:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else None


def _traces(runs: Sequence[Overlaid], view: View) -> Iterator[Trace]:
    """All train losses, and before them all validation losses."""
    train = train_series(runs)
    for name, roles in ((train, TRAIN_ROLES), ("val_loss", VAL_ROLES)):
        at_middle = name == "train_loss"
        for run, role in zip(runs, roles, strict=False):
            history = run.history
            if len(history):
                series = Series(name, run.label, role, role, at_middle=at_middle)
                places = places_of(history, view.x_axis, at_middle=at_middle)
                values = history.column(name)
                yield Trace(series, role, places, values, 0, len(values))


def _x_axis(histories: Sequence[Columns], view: View, width: int) -> Axis:
    extents = [places_of(history, view.x_axis).extent for history in histories]
    low, high = min(low for low, _ in extents), max(high for _, high in extents)
    make = time_axis if view.x_axis == "time" else count_axis
    return make(low, high, max_ticks=max(2, width // CELLS_A_TICK))


def _bests(
    numbered: Sequence[tuple[int, Overlaid]], view: View, x_axis: Axis, y_axis: Axis
) -> Iterator[Point]:
    for number, run in numbered:
        point = best_point(run.history, run.marks, view, x_axis, y_axis)
        if point is not None:
            yield Point(*point, VAL_ROLES[number])
