"""Every series' value at one epoch."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from ..look.palette import Role
from ..look.view import View
from .columns import Columns
from .series import LOSSES, right_series, values_of
from .smoothing import Smoother


class Value(msgspec.Struct, frozen=True):
    """What one series measured, None where that was no number; smoothed beside it if that is on."""

    label: str
    role: Role
    raw: float | None
    smoothed: float | None


class Reading(msgspec.Struct, frozen=True):
    """An epoch, where it lies on all three x axes, and the values of the series shown."""

    epoch: int
    step: int
    seconds: float
    values: tuple[Value, ...]


def reading_at(history: Columns, view: View, epoch: int | None, smoother: Smoother) -> Reading:
    """The values at an epoch, or else the one before it; without one at the last.

    The history has at least one epoch.
    """
    index = len(history) - 1
    if epoch is not None:
        index = max(0, int(np.searchsorted(history.epochs, epoch, side="right")) - 1)
    series = [each for each in LOSSES if each.name in view.shown]
    series += [right_series(view.right)] if view.right else []
    values = []
    for each in series:
        column = values_of(history, each.name)
        if column is None:
            continue
        is_smoothed = view.smoothing and each.is_noisy
        smooth = smoother.smooth(each.name, column, view.smoothing) if is_smoothed else None
        averaged = None if smooth is None else _number(smooth[index])
        values.append(Value(each.label, each.role, _number(column[index]), averaged))
    return Reading(
        int(history.epochs[index]),
        int(history.steps[index]),
        float(history.seconds[index]),
        tuple(values),
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
