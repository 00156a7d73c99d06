"""What one looks at of a curve: scale, axis, smoothing, window, cursor. Pure, and quick to load."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

import msgspec
from msgspec.structs import replace

Scale = Literal["linear", "log"]
XAxis = Literal["epoch", "step", "time"]
Extent = tuple[float, float]
T = TypeVar("T")

# The weight of what came before in a moving average; each step about halves what is left of 1.
SMOOTHINGS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
X_AXES: tuple[XAxis, ...] = get_args(XAxis)
LOSSES = ("train_loss", "val_loss", "train_loss_eval", "penalty", "train_plus_penalty")
ZOOM = 1.5
_PAN_SHARE = 0.25
# A window that follows the tail jumps by this share of its width, so that few cells change.
_STEPS_A_WINDOW = 8


class View(msgspec.Struct, frozen=True):
    """What is looked at, and how.

    `window` is the part of the x axis that is shown, in that axis's own unit, None for the whole
    history; one that `follows` keeps its width and moves with the last epoch. `cursor` is an
    epoch. `clips` lets values that would flatten the rest be drawn at the edge. `right` is the
    series on the right-hand axis.
    """

    scale: Scale = "linear"
    x_axis: XAxis = "epoch"
    smoothing: float = 0.0
    clips: bool = True
    shown: tuple[str, ...] = ("train_loss", "val_loss")
    right: str | None = None
    window: Extent | None = None
    follows: bool = False
    cursor: int | None = None


def visible(view: View, extent: Extent) -> Extent:
    """The part of the x axis to show, of a history that reaches from one end to the other."""
    if view.window is None or view.window[0] >= extent[1]:
        return extent  # a run that went on from an earlier epoch may not reach the window any more
    if not view.follows:
        return view.window
    width = view.window[1] - view.window[0]
    step = width / _STEPS_A_WINDOW
    high = math.ceil(extent[1] / step - 1e-9) * step
    return high - width, high


def zoomed(
    view: View, extent: Extent, factor: float, *, about: float | None = None, narrowest: float
) -> View:
    """A window narrower by a factor (wider below 1), in which the point `about` keeps its place.

    Without a point the right-hand end stays, so that one who looks at the tail still does.
    """
    low, high = visible(view, extent)
    high = min(high, extent[1]) if about is None else high
    about = high if about is None else about
    width = max((high - low) / factor, narrowest)
    share = (about - low) / (high - low) if high > low else 0.5
    window = (about - share * width, about + (1 - share) * width)
    if width >= extent[1] - extent[0]:
        return replace(view, window=None, follows=False)
    return _with_window(view, extent, window)


def panned(view: View, extent: Extent, share: float = _PAN_SHARE) -> View:
    """The window moved to the right by a share of its width, as far as there is a history."""
    if view.window is None:
        return view
    low, high = visible(view, extent)
    shift = share * (high - low)
    return _with_window(view, extent, (low + shift, high + shift))


def _with_window(view: View, extent: Extent, window: Extent) -> View:
    """A window kept within the history; one that reaches its end follows it."""
    width = window[1] - window[0]
    low = max(extent[0], min(window[0], extent[1] - width))
    follows = window[1] >= extent[1] and low > extent[0]
    return replace(view, window=(low, low + width), follows=follows)


def following(view: View, extent: Extent) -> View:
    """The same width at the tail, and with it from now on; of a whole history its last quarter."""
    low, high = visible(view, extent) if view.window else (extent[0], extent[0])
    width = high - low or (extent[1] - extent[0]) / 4
    if width <= 0:
        return view
    return replace(view, window=(extent[1] - width, extent[1]), follows=True)


def whole(view: View) -> View:
    """The whole history, also as it grows."""
    return replace(view, window=None, follows=False)


def other_scale(view: View) -> View:
    """Logarithmic instead of linear, and back."""
    return replace(view, scale="log" if view.scale == "linear" else "linear")


def next_x_axis(view: View, measured: Collection[XAxis] = X_AXES) -> View:
    """Epochs, steps, time, of those that a run has measured.

    The window is of the old axis, so it is for the caller to carry over.
    """
    place = X_AXES.index(view.x_axis) + 1
    order = (*X_AXES[place:], *X_AXES[:place])
    return replace(view, x_axis=next(axis for axis in order if axis in measured))


def smoothed_by(view: View, steps: int) -> View:
    """So many steps more smoothing; fewer than none is none."""
    nearest = min(SMOOTHINGS, key=lambda weight: abs(weight - view.smoothing))
    step = max(0, min(SMOOTHINGS.index(nearest) + steps, len(SMOOTHINGS) - 1))
    return replace(view, smoothing=SMOOTHINGS[step])


def other_clipping(view: View) -> View:
    """Values that would flatten the rest drawn at the edge, or where they are."""
    return replace(view, clips=not view.clips)


def toggled(view: View, name: str) -> View:
    """One of the losses shown or hidden."""
    shown = set(view.shown) ^ {name}
    return replace(view, shown=tuple(loss for loss in LOSSES if loss in shown))


def next_right(view: View, names: Sequence[str]) -> View:
    """The next series on the right-hand axis: none, the learning rate, ..., each metric, none."""
    choices = [None, *(name for name in names if name not in LOSSES)]
    place = choices.index(view.right) if view.right in choices else 0
    return replace(view, right=choices[(place + 1) % len(choices)])


def is_measured(name: str, names: Collection[str]) -> bool:
    """Whether a run that has measured these series can show one of them."""
    return name in names or (name == "train_plus_penalty" and "penalty" in names)


def of_what_is_measured(view: View, names: Collection[str], axes: Collection[XAxis]) -> View:
    """The view without series and x axis that a run lacks; they are back where a run has them.

    Where none of the chosen losses is left it shows the usual ones.
    """
    shown = tuple(loss for loss in view.shown if is_measured(loss, names))
    right = view.right if view.right in names else None
    return replace(
        view,
        shown=shown or (View().shown if view.shown else ()),
        right=right,
        x_axis=view.x_axis if view.x_axis in axes else "epoch",
    )


def with_cursor(view: View, epoch: int | None) -> View:
    """The cursor at an epoch, or hidden."""
    return replace(view, cursor=epoch)


def preferences(view: View) -> dict[str, Any]:
    """What of a view is worth to be kept for other runs."""
    return {
        "scale": view.scale,
        "x_axis": view.x_axis,
        "smoothing": view.smoothing,
        "clips": view.clips,
        "shown": list(view.shown),
        "right": view.right or "",
    }


def from_preferences(kept: Mapping[str, Any]) -> View:
    """A view of what was kept; what is missing or no such value is as usual."""
    shown = kept.get("shown")
    return View(
        scale=_one_of(get_args(Scale), kept.get("scale")),
        x_axis=_one_of(X_AXES, kept.get("x_axis")),
        smoothing=_one_of(SMOOTHINGS, kept.get("smoothing")),
        clips=_one_of((True, False), kept.get("clips")),
        shown=tuple(name for name in LOSSES if name in shown)
        if isinstance(shown, list | tuple)
        else View().shown,
        right=right if isinstance(right := kept.get("right"), str) and right else None,
    )


def _one_of(choices: Sequence[T], value: object) -> T:
    """The choice that a value is, else the first."""
    return next((choice for choice in choices if choice == value), choices[0])
