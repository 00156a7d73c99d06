"""The verdict on a run: a pure function of its curves.

Two questions are answered first, each with a probability: has the validation loss really risen
since it was lowest, and would half as many epochs again really lower it? The loss that counts is
the one on all rows there could be, of which the validation rows are a few. What is left then fits
or underfits, by how much of a constant predictor's loss is gone.

The weights of the two probabilities were fitted to runs whose truth is known, the first half of
the families of `tests/benchmarks/verdict_families.py`; `tests/benchmarks/verdict.py` shows how
often they are right on the other half.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from ..events import VerdictChanged, VerdictName
from .curves import Curves
from .evidence import Evidence, evidence_of

# Weights of the evidence, as `_rise_terms` and `_gain_terms` order it, after a constant.
_RISE_WEIGHTS = (-1.600, 0.982, 0.675, 0.213, 0.618)
_GAIN_WEIGHTS = (0.376, 0.975, 0.672)
# Above the first a question is answered with yes, below the second with no.
_RISES, _RISES_NOT = 0.60, 0.35
_FALLS, _FALLS_NOT = 0.60, 0.40
# Shares of a constant predictor's loss: less than that learnt is nothing, or next to nothing.
_NOTHING_LEARNT, _NOTHING_ON_TRAIN, _LITTLE_LEARNT, _NO_GAP = 0.05, 0.5, 0.25, 0.1
# A train loss so far above a constant's, or above its own lowest, is no learning any more.
_ABOVE_CONSTANT, _RISE_ABOVE, _TRAIN_RISE = 0.1, 0.02, 0.1
_FAR_ABOVE = 5.0
# What nobody can compute with is as good as no number; of nan this is not true either.
_NO_NUMBER = 1e100
# How far from its end a flat curve may have been.
_FLAT = 0.05


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the curves say after an epoch.

    Args:
        name: the verdict.
        since_epoch: from which epoch on it holds.
        confidence: how often such a verdict was right on the benchmark's runs, 0 to 1; 0 for
            `warming_up` and `inconclusive`.
        evidence: the numbers that it rests on, by name.
    """

    name: VerdictName
    since_epoch: int
    confidence: float
    evidence: dict[str, float]

    def as_record(self) -> VerdictChanged:
        """The verdict as the journal tells it."""
        return VerdictChanged(
            verdict=self.name,
            since_epoch=self.since_epoch,
            confidence=self.confidence,
            evidence=self.evidence,
        )


def judge(curves: Curves) -> Verdict:
    """The verdict after the last epoch of the curves.

    It looks back only, so it is taken back when a rise reverses.
    """
    usable = (np.abs(curves.train) < _NO_NUMBER) & (np.abs(curves.val) < _NO_NUMBER)
    if len(curves) and not usable[-1]:
        return _verdict("diverging", _first_of_last_run(curves, ~usable), 1.0, None)
    known = curves if usable.all() else curves.only(usable)  # a copy of a million is large
    evidence = evidence_of(known)
    if evidence is None:
        first = int(curves.epochs[0]) if len(curves) else 0
        return _verdict("warming_up", first, 0.0, None)
    return _of_evidence(known, evidence)


def _of_evidence(curves: Curves, evidence: Evidence) -> Verdict:
    last = int(curves.epochs[-1])
    if _diverges(evidence):
        since = int(curves.epochs[evidence.train_place])
        return _verdict("diverging", since, 0.98, evidence)
    rises = rise_probability(evidence)
    if rises > _RISES:
        since = int(curves.epochs[min(evidence.best_place + 1, len(curves) - 1)])
        return _verdict("overfitting", since, rises, evidence)
    falls = gain_probability(evidence)
    if rises > _RISES_NOT or _FALLS_NOT < falls <= _FALLS:
        return _verdict("inconclusive", last, 0.0, evidence)
    if falls > _FALLS:
        return _verdict("improving", int(curves.epochs[0]), (1 - rises) * falls, evidence)
    return _of_a_flat_curve(curves, evidence, (1 - rises) * (1 - falls))


def _of_a_flat_curve(curves: Curves, evidence: Evidence, confidence: float) -> Verdict:
    since = _flat_since(curves)
    if evidence.learnt < _NOTHING_LEARNT and evidence.train_learnt < _NOTHING_ON_TRAIN:
        return _verdict("underfitting", since, confidence, evidence)
    if evidence.learnt < _LITTLE_LEARNT and evidence.gap < _NO_GAP:
        # too small a model, or noise that no model can learn: the curves look the same
        return _verdict("inconclusive", int(curves.epochs[-1]), 0.0, evidence)
    return _verdict("good_fit", since, confidence, evidence)


def rise_probability(evidence: Evidence) -> float:
    """How likely the loss on rows of all kinds has risen by more than matters."""
    error = max(evidence.rise_error, 0.15 * evidence.matters, 1e-300)
    return _logistic(
        _RISE_WEIGHTS,
        _clipped((evidence.rise - evidence.matters) / error, -3, 3),
        _clipped(evidence.train_fall, -0.02, 0.2) / 0.1,
        _clipped(-evidence.trend, -0.1, 0.1) / 0.05,
        _clipped(evidence.rise_share, -0.02, 0.2) / 0.1,
    )


def gain_probability(evidence: Evidence) -> float:
    """How likely half as many epochs again lower the loss by more than matters."""
    gain = evidence.gain - evidence.gain_error
    trend = evidence.trend - 2 * evidence.gain_error
    return _logistic(_GAIN_WEIGHTS, *(_log_share(each) for each in (gain, trend)))


def _diverges(evidence: Evidence) -> bool:
    is_above = evidence.train_learnt < -_ABOVE_CONSTANT and evidence.train_rise > _RISE_ABOVE
    is_far = evidence.learnt < -_FAR_ABOVE or not math.isfinite(evidence.rise)
    return is_above or is_far or evidence.train_rise > _TRAIN_RISE


def _flat_since(curves: Curves) -> int:
    """The first epoch from which on the validation loss stayed near where it is."""
    end = float(np.median(curves.val[-5:]))
    away = np.abs(curves.val - end) > _FLAT * abs(end)
    places = np.flatnonzero(away)
    first = int(places[-1]) + 1 if len(places) else 0
    return int(curves.epochs[min(first, len(curves) - 1)])


def _first_of_last_run(curves: Curves, is_bad: np.ndarray) -> int:
    """The epoch with which the last unbroken row of bad ones begins."""
    good = np.flatnonzero(~is_bad)
    return int(curves.epochs[int(good[-1]) + 1 if len(good) else 0])


def _verdict(
    name: VerdictName, since: int, confidence: float, evidence: Evidence | None
) -> Verdict:
    numbers = {} if evidence is None else evidence.shown()
    return Verdict(name=name, since_epoch=since, confidence=confidence, evidence=numbers)


def _logistic(weights: tuple[float, ...], *terms: float) -> float:
    constant, *others = weights
    score = constant + sum(weight * term for weight, term in zip(others, terms, strict=True))
    return 1 / (1 + math.exp(-score))


def _log_share(share: float) -> float:
    return math.log(_clipped(share, 0.003, 0.3) / 0.033)


def _clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
