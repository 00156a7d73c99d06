"""What the trees of a verdict look at: two curves as numbers that the loss's unit is not in.

Changes are shares of the loss, on a scale that is even about 0 and logarithmic beyond what
matters, because a rise of half the loss is no more overfitting than one of a fifth. Times are
shares of the epochs so far, whose number is one of the features.
"""

import math

import numpy as np

from .curves import Curves, Floats
from .evidence import MATTERS, Evidence, fall_of_line, sum_of_products

# On the scale all changes beyond so many times what matters are the same; a change that is
# infinite counts as the largest; and so do larger ratios of changes.
_MOST_TIMES, _LARGEST_CHANGE, _LARGEST_RATIO = 1e6, 1e6, 1.2
# The last parts of a run through which lines are drawn.
_PARTS, _FEWEST_OF_A_LINE = (0.1, 0.2, 0.35, 0.5, 0.75), 4
# Three places each, and how much less the loss falls from the second to the third.
_BENDS = ((0.5, 0.75, 1.0), (0.75, 0.875, 1.0), (0.25, 0.5, 1.0))
# Where rows have told nothing, these are as unlike all others as can be.
_UNKNOWN_ERROR, _UNKNOWN_SHARE, _UNKNOWN_RATIO = 1.0, -0.3, 3.0
_MOST_ERRORS, _STEEPEST = 6.0, 3.0
# What a sum of floats may be off by, as a share: a curve that moves no more stands still.
_ROUNDING = 1e-12
_LEAST = 1e-300


def features_of(curves: Curves, evidence: Evidence) -> dict[str, float]:
    """The numbers by their names, all finite.

    Args:
        curves: at least six epochs, losses that are numbers.
        evidence: of the same curves.
    """
    return {
        **_of_evidence(evidence),
        **_of_rows(curves, evidence),
        **_of_learnable(evidence),
        **_slopes(curves, evidence),
        **_bends(curves, evidence),
        **_together(curves, evidence),
    }


def on_scale(share: float) -> float:
    """A share on the scale that is even about 0 and logarithmic beyond what matters."""
    return math.copysign(math.log1p(min(abs(share) / MATTERS, _MOST_TIMES)), share)


def clipped(value: float, low: float, high: float) -> float:
    """The value, or the bound that it lies beyond."""
    return min(max(value, low), high)


def _unit(evidence: Evidence) -> float:
    """The loss that a share is one of: the lowest, or more where that is next to nothing."""
    return evidence.matters / MATTERS


def _of_evidence(evidence: Evidence) -> dict[str, float]:
    unit, doubt, counts = _unit(evidence), 0.5 * evidence.row_error, evidence.counts
    sure_gain = max(0.0, evidence.gain - evidence.gain_error - doubt)
    sure_trend = max(0.0, evidence.trend - 2 * evidence.gain_error - doubt)
    rise, train_fall = on_scale(evidence.rise / unit), clipped(evidence.train_fall, -0.05, 0.3)
    return {
        "rise": rise,
        "train_fall": train_fall,
        "rise_and_train_fall": rise * clipped(train_fall / 0.1, -1.0, 2.0),
        "change": on_scale(evidence.change / unit),
        "trend": _counted(evidence.trend, counts),
        "sure_trend": _counted(sure_trend, counts),
        "sure_gain": _counted(sure_gain, counts),
        "train_trend": on_scale(evidence.train_trend),
        "sure_train_rise": clipped(evidence.sure_train_rise, -0.1, 0.3),
        "scatter": _log_of(evidence.scatter),
        "jumps": _log_of(evidence.jumps),
        "gap": clipped(evidence.gap, -0.3, 1.0),
        "learnt": clipped(evidence.learnt, -1.0, 1.0),
        "train_learnt": clipped(evidence.train_learnt, -1.0, 1.0),
        "counts": counts,
        "best_place": evidence.best_place / evidence.epochs,
        "epochs": float(evidence.epochs),
    }


def _of_rows(curves: Curves, evidence: Evidence) -> dict[str, float]:
    unit = _unit(evidence)
    known, unlearnt = curves.rows.change is not None, evidence.unlearnt_share
    return {
        "rise_error": _log_of(evidence.rise_error / unit) if known else _UNKNOWN_ERROR,
        "change_error": _log_of(evidence.change_error / unit) if known else _UNKNOWN_ERROR,
        "rise_in_errors": _in_errors(evidence.rise, evidence.rise_error),
        "change_in_errors": _in_errors(evidence.change, evidence.change_error),
        "late_change_in_errors": _in_errors(evidence.late_change, evidence.change_error),
        "gain_in_errors": _in_errors(
            clipped(evidence.gain, -_LARGEST_CHANGE, _LARGEST_CHANGE),  # it may be boundless
            evidence.gain_error + 0.5 * evidence.row_error,
        ),
        "unlearnt_share": _UNKNOWN_SHARE if unlearnt is None else clipped(unlearnt, 0.0, 1.5),
    }


def _of_learnable(evidence: Evidence) -> dict[str, float]:
    """What can be learnt, and how much less or more has been."""
    if evidence.learnable is None:
        return {"learnable": _UNKNOWN_SHARE, "learnt_of_learnable": _UNKNOWN_RATIO}
    learnable, learnt = (clipped(each, 0.0, 1.2) for each in (evidence.learnable, evidence.learnt))
    return {
        "learnable": learnable,
        "learnt_of_learnable": math.log((0.1 + learnt) / (0.1 + learnable)),
    }


def _slopes(curves: Curves, evidence: Evidence) -> dict[str, float]:
    """How much lines through the last parts of the run fall in half as many epochs again."""
    unit, train_unit = _unit(evidence), max(abs(float(curves.train[-5:].mean())), _LEAST)
    found = {}
    for part in _PARTS:
        val, train = _fall_of_line(curves.val, part), _fall_of_line(curves.train, part)
        found[f"val_slope_{part}"] = on_scale(val / unit)
        found[f"train_slope_{part}"] = on_scale(train / unit)
        found[f"train_slope_of_own_{part}"] = on_scale(train / train_unit)
    return found


def _bends(curves: Curves, evidence: Evidence) -> dict[str, float]:
    """How fast what the validation loss falls by becomes less, and what is left to fall then."""
    unit, found = _unit(evidence), {}
    for first, middle, last in _BENDS:
        before = _mean_at(curves.val, first) - _mean_at(curves.val, middle)
        after = _mean_at(curves.val, middle) - _mean_at(curves.val, last)
        moved = abs(before) > _ROUNDING * unit
        ratio = clipped(after / before, -1.0, _LARGEST_RATIO) if moved else 0.0
        found[f"bend_from_{first}_to_{last}"] = ratio
        found[f"gain_from_{first}_to_{last}"] = on_scale(after * max(ratio, 0.0) / unit)
    return found


def _together(curves: Curves, evidence: Evidence) -> dict[str, float]:
    """How closely the validation loss follows the train loss in the second half of the run."""
    unit = _unit(evidence)
    val, val_size = _moves(curves.val, unit)
    train, train_size = _moves(curves.train, unit)
    both, train_square = sum_of_products(val, train), sum_of_products(train, train)
    squares = sum_of_products(val, val) * train_square
    steep = both * val_size / (train_square * train_size) if train_square else 0.0
    follows = clipped(steep, -_STEEPEST, _STEEPEST)
    return {
        "follows": follows,
        "followed_slope": on_scale(_fall_of_line(curves.train, 0.25) / unit) * follows,
        "correlation": both / math.sqrt(squares) if squares else 0.0,
    }


def _moves(values: Floats, unit: float) -> tuple[Floats, float]:
    """The second half about its mean, and by what it was divided so that no square is too large."""
    half = values[len(values) // 2 :]
    moves = half - half.mean()
    size = float(np.abs(moves).max())
    if size <= _ROUNDING * max(unit, float(np.abs(half).max())):
        return np.zeros_like(moves), 1.0
    return moves / size, size


def _fall_of_line(values: Floats, part: float) -> float:
    """How much a line through the last part of the values falls in half as many again."""
    return fall_of_line(values, max(_FEWEST_OF_A_LINE, int(part * len(values))))


def _mean_at(values: Floats, part: float) -> float:
    """The mean of the sixteenth of the values that ends with a part of them."""
    end = max(1, int(part * len(values)))
    return float(values[max(0, end - max(2, len(values) // 16)) : end].mean())


def _counted(change: float, counts: float) -> float:
    """What a change counts, also where it is boundless and counts nothing."""
    return on_scale(counts * clipped(change, -_LARGEST_CHANGE, _LARGEST_CHANGE))


def _in_errors(change: float, error: float) -> float:
    return clipped(change / max(error, _LEAST), -_MOST_ERRORS, _MOST_ERRORS)


def _log_of(share: float) -> float:
    return math.log(clipped(share, 0.0005, 1.0))
