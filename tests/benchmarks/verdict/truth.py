"""What is true of a run, from rows that it never saw and from epochs that came after it.

    overfitting   the held-out loss has risen from its lowest by 5 % of it or more
    improving     half as many epochs again lower the held-out loss by 5 % or more
    diverging     a loss was no number, or the training loss ended above a constant's or where it
                  had been long before
    underfitting  none of these, and less than half of what can be learnt has been, on the
                  training rows as well
    good_fit      none of these: neither more nor fewer epochs would help

Losses are means over five epochs. A change below 2 % is none, and so is one of less than 1 / 500
of a constant predictor's loss; from 5 % (1 / 200) on it is one. Between these a run is borderline
and either answer is right; likewise where a change is not three times what the held-out loss
itself jumps about, and where the held-out rows are too few to tell: no change must be below 5 %,
and a change above 2 %, by two standard errors.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from epochtop.core.verdict.evidence import scatter_of

from .runs import LONGER, LabelledRun

Floats = NDArray[np.float64]
_EPOCHS = 5
_CLEAR, _NONE, _SHARE_OF_CONSTANT = 0.05, 0.02, 0.005
_ERRORS = 2
_HALF = 0.5


def attainable(runs: Sequence[LabelledRun]) -> dict[int, float]:
    """For each run (by its place) the lowest loss one can have: Bayes', or the family's best."""
    best: dict[str, float] = defaultdict(lambda: math.inf)
    for run in runs:
        best[run.family] = min(best[run.family], float(np.nanmin(smoothed(run.held_out))))
    return {
        place: best[run.family] if run.bayes is None else run.bayes
        for place, run in enumerate(runs)
    }


def smoothed(losses: Sequence[float]) -> Floats:
    """Means over five epochs; what is no number counts as infinite."""
    values = np.array(losses, np.float64)
    values[~np.isfinite(values)] = np.inf
    width = min(_EPOCHS, len(values))
    with np.errstate(invalid="ignore"):
        return np.convolve(values, np.full(width, 1 / width), "valid")


def truths(run: LabelledRun, epochs: int, attainable_loss: float) -> frozenset[str]:
    """The verdicts that are right of a run's first epochs: one, or more where it is borderline."""
    if _diverges(run, epochs):
        return frozenset({"diverging"})
    held_out = smoothed(run.held_out[:epochs])
    end = float(held_out[-1])
    rises, falls = is_overfitting(run, epochs), is_improving(run, epochs)
    found = set()
    if rises is not False:
        found.add("overfitting")
    if falls is not False:
        found.add("improving")
    if rises is not True and falls is not True:
        lower = min(end, float(_train_losses(run, epochs)[-1]))
        found |= _fit(run, lower, attainable_loss)
    return frozenset(found)


def is_overfitting(run: LabelledRun, epochs: int) -> bool | None:
    """Whether the held-out loss has risen by then; None for borderline."""
    return _is_change(run, *_rise(run, epochs), run.rise_errors[epochs - 1])


def is_improving(run: LabelledRun, epochs: int) -> bool | None:
    """Whether half as many epochs again lower the held-out loss; None for borderline."""
    return _is_change(run, *_fall(run, epochs), run.fall_error if epochs == run.epochs else 0.0)


def _rise(run: LabelledRun, epochs: int) -> tuple[float, float]:
    """How far the held-out loss is above its lowest, and the lowest."""
    held_out = smoothed(run.held_out[:epochs])
    lowest = float(held_out.min())
    return float(held_out[-1]) - lowest, lowest


def _fall(run: LabelledRun, epochs: int) -> tuple[float, float]:
    """How far half as many epochs again lower the held-out loss, and what it is before."""
    later = smoothed(run.held_out[epochs - _EPOCHS : math.ceil(LONGER * epochs)])
    return float(later[0] - later.min()), float(later[0])


def _share(run: LabelledRun, change: float, of: float) -> float:
    """A change as a share of the loss, or as ten times that of a constant's, if this is less."""
    return min(change / of, change / run.constant * _CLEAR / _SHARE_OF_CONSTANT)


def _is_change(run: LabelledRun, change: float, of: float, error: float) -> bool | None:
    share, doubt = _share(run, change, of), _ERRORS * _share(run, error, of)
    if share < _NONE:
        return False if share + doubt < _CLEAR else None
    is_clear = share >= _CLEAR and share - doubt > _NONE and change > 3 * _jumps(run.held_out)
    return True if is_clear else None


def _jumps(held_out: Sequence[float]) -> float:
    """The standard error of a difference of two means over five epochs."""
    values = np.array(held_out, np.float64)
    return scatter_of(values) * math.sqrt(2 / _EPOCHS) if np.isfinite(values).all() else 0.0


def _fit(run: LabelledRun, end: float, attainable_loss: float) -> set[str]:
    to_learn = run.constant - attainable_loss
    if to_learn < _CLEAR * run.constant:  # there is nothing to learn, or so little
        return {"good_fit", "underfitting"}
    return {"good_fit" if run.constant - end >= _HALF * to_learn else "underfitting"}


def _diverges(run: LabelledRun, epochs: int) -> bool:
    train = _train_losses(run, epochs)
    if not np.isfinite(train).all() or not np.isfinite(run.held_out[:epochs]).all():
        return True
    risen = float(train[-1] - train.min())
    return (
        bool(train[-1] > 1.1 * run.constant and train[-1] > train[0]) or risen > 0.1 * run.constant
    )


def _train_losses(run: LabelledRun, epochs: int) -> Floats:
    losses = [record.train_loss_eval for record in run.records[:epochs]]
    return smoothed([math.inf if loss is None else loss for loss in losses])
