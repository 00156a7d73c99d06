"""The numbers that a verdict rests on, each a share so that the loss's unit does not matter."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from . import FEWEST_EPOCHS
from .curves import Curves, Floats
from .reference import half_way

_WINDOW_SHARE, _LONGEST_WINDOW = 8, 10
# What a change has to exceed to matter: a share of the loss itself and of a constant predictor's.
MATTERS, MATTERS_OF_CONSTANT = 0.033, 0.0033
_EPOCHS_OF_A_JUMP = 5
# What is unlearnt may seem to be all there is, or more.
_LEAST_LEARNT, _MOST_LEARNABLE = 0.02, 1.2
_LEAST_OF_CONSTANT = 1e-3
_LEAST = 1e-300  # where all losses are 0, nothing is divided by it
_MAD = 1.4826  # the standard deviation of a normal, over its median absolute deviation


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What two curves say after an epoch.

    Losses are means over a window at the end, so that the noise of single epochs counts less.

    Args:
        epochs: how many there are.
        matters: the smallest change of the validation loss that matters.
        rise: the validation loss above its lowest, less what the lowest of many owes to luck.
        rise_error: the standard error of that, by the rows and by the curve's own scatter.
        rise_share: the rise as a share of the lowest.
        change: of the validation loss since the epoch half-way, below 0 where it has fallen.
        late_change: the same in the last quarter.
        change_error: the standard error of the two, by the rows and by the curve's own scatter.
        trend: how much the validation loss falls in half as many epochs again at its present
            slope, as a share of it; below 0 it rises.
        gain: the same, if each quarter of the run brings as much less than the one before it as
            the last two did.
        train_trend: the trend of the train loss, as a share of it.
        counts: how much a share of the present loss counts: 1, or less where the loss is below a
            tenth of a constant predictor's.
        gain_error: what the curve's own scatter leaves open of the two.
        row_error: what luck of the rows leaves open of the change since half-way, as a share.
        train_fall: the share that the train loss has fallen since the validation loss was lowest.
        learnt: the share of a constant predictor's loss that is gone on validation rows.
        train_learnt: the same on training rows, of the constant's loss there where it is known.
        gap: how much of the validation loss the train loss has not, that being taken as many times
            as the constant's validation loss is its train loss.
        scatter: of the validation curve from epoch to epoch, as a share of it.
        jumps: the standard error of a difference of two means over five epochs by the scatter, as
            a share that counts.
        train_rise: the train loss above its lowest, as a share of a constant predictor's train
            loss.
        sure_train_rise: the same less three standard errors by its own scatter.
        unlearnt_share: of what the inputs tell of the targets, as rows with like inputs show; None
            where nobody knows.
        learnable: the share of a constant's loss that can go: what has, and of what the inputs
            tell the unlearnt part; or what a plain method tells, if that is more. None where nobody
            knows either.
        best_place: the place of the window with the lowest validation loss, of its last epoch.
        train_place: the same of the train loss.
    """

    epochs: int
    matters: float
    rise: float
    rise_error: float
    rise_share: float
    change: float
    late_change: float
    change_error: float
    trend: float
    gain: float
    counts: float
    gain_error: float
    train_trend: float
    row_error: float
    train_fall: float
    learnt: float
    train_learnt: float
    gap: float
    scatter: float
    jumps: float
    train_rise: float
    sure_train_rise: float
    unlearnt_share: float | None
    learnable: float | None
    best_place: int
    train_place: int

    def shown(self) -> dict[str, float]:
        """The numbers by their names, those that are finite."""
        numbers = {name: getattr(self, name) for name in _SHOWN}
        return {
            name: float(number)
            for name, number in numbers.items()
            if number is not None and math.isfinite(number)
        }


_SHOWN = (
    *("rise", "rise_error", "rise_share", "change", "change_error", "trend", "gain"),
    *("train_fall", "learnt", "train_learnt", "gap", "scatter", "unlearnt_share", "learnable"),
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
    best, train_best = int(val.argmin()), int(train.argmin())
    end, train_end, lowest = float(val[-1]), float(train[-1]), float(val[best])
    constant, train_constant = _constants(curves)
    learnt, noise = _learnt(end, constant), _noise_of(curves, width)
    unit = max(abs(lowest), MATTERS_OF_CONSTANT / MATTERS * abs(constant), _LEAST)
    train_noise = _recent_scatter(curves.train) * math.sqrt(2 / width)
    train_rise = train_end - float(train[train_best])
    return Evidence(
        epochs=num_epochs,
        matters=MATTERS * unit,
        rise=end - lowest - noise.luck,
        rise_error=math.hypot(noise.of_curve, curves.rows.rise_error),
        rise_share=share(end - lowest - noise.luck, lowest),
        change=end - _mean_up_to(val, _half_way_place(curves), width),
        late_change=end - _mean_up_to(val, round(0.75 * num_epochs) - 1, width),
        change_error=math.hypot(noise.of_curve, noise.of_rows),
        trend=share(_trend(curves.val), end),
        gain=share(_gain(val, width, num_epochs), end),
        counts=min(1.0, share(end, unit)) if end > 0 else 1.0,
        gain_error=share(noise.of_curve, end),
        row_error=share(noise.of_rows, end),
        train_trend=share(_trend(curves.train), float(curves.train[-1])),
        train_fall=share(float(train[best]) - train_end, float(train[best])),
        learnt=learnt,
        train_learnt=_learnt(train_end, train_constant),
        gap=share(end - train_end * _ratio(constant, train_constant), end),
        scatter=share(noise.scatter, end),
        jumps=share(noise.scatter * math.sqrt(2 / _EPOCHS_OF_A_JUMP), unit),
        train_rise=share(train_rise, train_constant),
        sure_train_rise=share(train_rise - 3 * train_noise, train_constant),
        unlearnt_share=curves.rows.unlearnt_share,
        learnable=_learnable(curves, learnt),
        best_place=best + width - 1,
        train_place=train_best + width - 1,
    )


class _Noise(msgspec.Struct, frozen=True):
    """How far a difference of two windows may be off, by the curve's scatter and by the rows.

    `luck` is how much lower than its mean the lowest of many windows is.
    """

    scatter: float
    of_curve: float
    of_rows: float
    luck: float


def _noise_of(curves: Curves, width: int) -> _Noise:
    scatter = _recent_scatter(curves.val)
    windows = max(1.0, len(curves) / width)
    return _Noise(
        scatter=scatter,
        of_curve=scatter * math.sqrt(2 / width),
        of_rows=curves.rows.change.error if curves.rows.change else 0.0,
        luck=0.5 * scatter * math.sqrt(2 * math.log(windows) / width),
    )


def _recent_scatter(values: Floats) -> float:
    return scatter_of(values[-max(12, len(values) // 2) :])


def _constants(curves: Curves) -> tuple[float, float]:
    """The best constant's loss on validation and on training rows.

    Where only one is known it stands for both, and where none is, what the training began with.
    """
    yardsticks = curves.yardsticks
    val, train = (
        each if each and math.isfinite(each) else None
        for each in (yardsticks.constant, yardsticks.train_constant)
    )
    if val and train and abs(train) < _LEAST_OF_CONSTANT * abs(val):
        train = val  # training targets that hardly differ are no measure
    began_with = float(max(curves.val[0], curves.train[0]))
    return val or train or began_with, train or val or began_with


def _learnt(loss: float, constant: float) -> float:
    """The share of a constant's loss that is gone; all of it where a constant has none.

    Both may be below 0, as the negative logarithms of densities are.
    """
    return share(constant - loss, constant) if constant else 1.0


def _learnable(curves: Curves, learnt: float) -> float | None:
    """The share of a constant's loss that can go, by what two ways of looking at the rows tell.

    Of squared errors either is a share of the variance; of a cross-entropy about as much goes.
    """
    told, unlearnt = curves.yardsticks.learnable_share, curves.rows.unlearnt_share
    if unlearnt is None:
        return told
    by_rows = min(max(learnt, 0.0) / max(1 - unlearnt, _LEAST_LEARNT), _MOST_LEARNABLE)
    return by_rows if told is None else max(by_rows, told)


def _ratio(constant: float, train_constant: float) -> float:
    """What a train loss is multiplied by to be like the validation loss, 1 for losses of none."""
    return constant / train_constant if train_constant else 1.0


def _half_way_place(curves: Curves) -> int:
    """The place of the epoch half-way, the one that the rows were compared with."""
    if curves.rows.change is None:
        return half_way(len(curves)) - 1
    return int(np.searchsorted(curves.epochs, curves.rows.change.since_epoch))


def _mean_up_to(means: Floats, place: int, width: int) -> float:
    """The mean of the window that ends with an epoch, or with the first that any does."""
    return float(means[min(len(means) - 1, max(0, place + 1 - width))])


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


def _trend(values: Floats) -> float:
    """How much the values fall in half as many epochs again, by a line through the last quarter."""
    return fall_of_line(values, max(5, len(values) // 4))


def fall_of_line(values: Floats, last: int) -> float:
    """How much a line through so many last values falls in half as many values as there are."""
    heights = values[-last:]
    places = np.arange(len(heights), dtype=np.float64) - (len(heights) - 1) / 2
    slope = sum_of_products(places, heights) / sum_of_products(places, places)
    return -slope * 0.5 * len(values)


def sum_of_products(one: Floats, other: Floats) -> float:
    """The scalar product, without the threads of BLAS, which wait for cores that train."""
    return float((one * other).sum())


def _gain(means: Floats, width: int, num_epochs: int) -> float:
    """What two more quarters of the run bring if their gains shrink as the last two have."""

    def at(part: float) -> float:
        return _mean_up_to(means, round(part * num_epochs) - 1, width)

    before, last = at(0.5) - at(0.75), at(0.75) - at(1.0)
    if last <= 0:
        return 0.0
    ratio = min(1.0, last / before) if before > 0 else 1.0
    return last * (ratio + ratio**2)
