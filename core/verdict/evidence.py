"""The numbers that a verdict rests on, each a share so that the loss's unit does not matter."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from . import FEWEST_EPOCHS
from .curves import Curves, Floats

_WINDOW_SHARE, _LONGEST_WINDOW = 8, 10
# What a change has to exceed to matter: a share of the loss itself and of a constant predictor's.
MATTERS, MATTERS_OF_CONSTANT = 0.033, 0.0033
_MAD = 1.4826  # the standard deviation of a normal, over its median absolute deviation


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What two curves say after an epoch.

    Losses are means over a window at the end, so that the noise of single epochs counts less.

    Args:
        rise: the validation loss above its lowest, less what the lowest of many owes to luck.
        rise_error: the standard error of that, by the rows and by the curve's own scatter.
        matters: the smallest rise that matters.
        rise_share: the rise as a share of the lowest.
        trend: how much the validation loss falls in half as many epochs again at its present
            slope, as a share of it; below 0 it rises.
        gain: the same, if each quarter of the run brings as much less than the one before it as
            the last two did.
        gain_error: what the curve's own scatter leaves open of the two.
        train_fall: the share that the train loss has fallen since the validation loss was lowest.
        learnt: the share of a constant predictor's loss that is gone on validation rows.
        train_learnt: the same on training rows.
        gap: how much of the validation loss the train loss has not.
        scatter: of the validation curve from epoch to epoch, as a share of it.
        train_rise: the train loss above its lowest, as a share of a constant predictor's loss.
        best_place: the place of the window with the lowest validation loss, of its last epoch.
        train_place: the same of the train loss.
    """

    rise: float
    rise_error: float
    matters: float
    rise_share: float
    trend: float
    gain: float
    gain_error: float
    train_fall: float
    learnt: float
    train_learnt: float
    gap: float
    scatter: float
    train_rise: float
    best_place: int
    train_place: int

    def shown(self) -> dict[str, float]:
        """The numbers by their names, those that are finite."""
        numbers = {name: float(getattr(self, name)) for name in _SHOWN}
        return {name: number for name, number in numbers.items() if math.isfinite(number)}


_SHOWN = (
    *("rise", "rise_error", "rise_share", "trend", "gain", "train_fall", "learnt"),
    *("train_learnt", "gap", "scatter"),
)


def evidence_of(curves: Curves) -> Evidence | None:
    """The evidence after the last epoch; None for too few epochs.

    Args:
        curves: without epochs whose losses were no numbers.
    """
    num_epochs = len(curves)
    if num_epochs < FEWEST_EPOCHS:
        return None
    width = max(2, min(num_epochs // _WINDOW_SHARE, _LONGEST_WINDOW))
    val, train = window_means(curves.val, width), window_means(curves.train, width)
    at_best, train_best = int(val.argmin()), int(train.argmin())
    end, lowest = float(val[-1]), float(val[at_best])
    train_end, train_then = float(train[-1]), float(train[at_best])
    constant = curves.baseline or float(max(curves.val[0], curves.train[0]))
    scatter = scatter_of(curves.val[-max(12, num_epochs // 2) :])
    luck = 0.5 * scatter * math.sqrt(2 * math.log(max(1.0, num_epochs / width)) / width)
    rise = end - lowest - luck
    matters = max(MATTERS * abs(lowest), MATTERS_OF_CONSTANT * abs(constant))
    return Evidence(
        rise=rise,
        rise_error=math.hypot(scatter * math.sqrt(2 / width), _row_error(curves)),
        matters=matters,
        rise_share=share(rise, lowest),
        trend=share(_trend(curves.val), end),
        gain=share(_gain(val, width, num_epochs), end),
        gain_error=share(scatter * math.sqrt(2 / width), end),
        train_fall=share(train_then - train_end, train_then),
        learnt=1 - share(end, constant),
        train_learnt=1 - share(train_end, constant),
        gap=share(end - train_end, end),
        scatter=share(scatter, end),
        train_rise=share(train_end - float(train[train_best]), constant),
        best_place=at_best + width - 1,
        train_place=train_best + width - 1,
    )


def window_means(values: Floats, width: int) -> Floats:
    """The means of each `width` values in a row, each summed anew: one may be beyond all others."""
    means: Floats = np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=1)
    return means


def scatter_of(values: Floats) -> float:
    """The standard deviation of single values about a smooth curve, by second differences.

    A straight line has none of them, and of independent noise they have six times the variance
    (Gasser, Sroka, Jennen-Steinmetz, Biometrika 1986); their median resists single jumps.
    """
    second = values[2:] - 2 * values[1:-1] + values[:-2]
    return _MAD * float(np.median(np.abs(second))) / math.sqrt(6)


def share(of: float, whole: float) -> float:
    """A part over the size of a whole; 0 of nothing."""
    return of / abs(whole) if whole else 0.0


def _row_error(curves: Curves) -> float:
    error = float(curves.rise_error[-1])
    return error if math.isfinite(error) else 0.0


def _trend(values: Floats) -> float:
    """How much the values fall in half as many epochs again, by a line through the last quarter."""
    last = values[-max(5, len(values) // 4) :]
    places = np.arange(len(last)) - (len(last) - 1) / 2
    slope = float(places @ last / (places @ places))
    return -slope * 0.5 * len(values)


def _gain(means: Floats, width: int, num_epochs: int) -> float:
    """What two more quarters of the run bring if their gains shrink as the last two have."""

    def at(part: float) -> float:
        return float(means[min(len(means) - 1, max(0, round(part * num_epochs) - width))])

    before, last = at(0.5) - at(0.75), at(0.75) - at(1.0)
    if last <= 0:
        return 0.0
    ratio = min(1.0, last / before) if before > 0 else 1.0
    return last * (ratio + ratio**2)
