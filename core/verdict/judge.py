"""The verdict on a run: a pure function of its curves.

Two questions are answered first, each with a chance: has the validation loss really risen since it
was lowest, and would half as many epochs again really lower it? The loss that counts is the one on
all rows there could be, of which the validation rows are a few. What neither rises nor falls fits
or underfits, by how much of a constant predictor's loss is gone, and by what is known of how much
can go. The likeliest answer is given, or none where it is not likely enough;
`tests/benchmarks/verdict` shows how often it is right on runs of kinds that nothing was fitted to.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from ..events import VerdictChanged, VerdictName
from .chances import model
from .curves import Curves
from .evidence import Evidence, evidence_of

# As sure as that an answer must be; with less the verdict is that nobody can tell. Of the runs that
# the trees were fitted to, a few families left out in turn, 7 in 100 are then left open, and of the
# others 95 in 100 are right; of runs of other kinds 10 and 95.
SURE = 0.78
# A train loss that has surely risen so far is no learning any more, by shares of a constant's loss.
# Above a constant's as well, the rise need not be sure, or a small one that is sure suffices.
_ABOVE_CONSTANT, _RISE_ABOVE, _TRAIN_RISE = 0.1, 0.02, 0.1
# A validation loss so far above a constant's is no overfitting where training learnt nothing, and
# none at all from so far on.
_FAR_ABOVE, _BEYOND = 5.0, 1000.0
# What nobody can compute with is as good as no number; of nan this is not true either.
_NO_NUMBER = 1e100
# How far from its end a flat curve may have been.
_FLAT = 0.05


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the curves say after an epoch.

    Args:
        name: the verdict.
        since_epoch: from which epoch on it holds.
        confidence: how likely it is right, 0 to 1, as the benchmark's runs bear out; 0 for
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
    if diverges(evidence):
        since = int(curves.epochs[evidence.train_place])
        return _verdict("diverging", since, 0.98, evidence)
    chances = model().chances(curves, evidence)
    stays = (1 - chances.rises_clearly) * (1 - chances.falls_clearly)
    answers: dict[VerdictName, float] = {
        "overfitting": chances.rises,
        "improving": chances.falls,
        "good_fit": stays * chances.fits,
        "underfitting": stays * (1 - chances.fits),
    }
    name = max(answers, key=answers.__getitem__)
    if answers[name] < SURE:
        return _verdict("inconclusive", int(curves.epochs[-1]), 0.0, evidence)
    return _verdict(name, _since(name, curves, evidence), answers[name], evidence)


def _since(name: VerdictName, curves: Curves, evidence: Evidence) -> int:
    """The epoch from which on an answer holds."""
    if name == "improving":
        return int(curves.epochs[0])
    if name == "overfitting":
        return int(curves.epochs[min(evidence.best_place + 1, len(curves) - 1)])
    return _flat_since(curves)


def diverges(evidence: Evidence) -> bool:
    """Whether the training has gone astray, by losses that are all numbers."""
    rise, sure_rise = evidence.train_rise, evidence.sure_train_rise
    is_above = evidence.train_learnt < -_ABOVE_CONSTANT
    is_far = evidence.learnt < -(_FAR_ABOVE if evidence.train_learnt <= 0 else _BEYOND)
    has_risen = sure_rise > _TRAIN_RISE
    has_risen |= is_above and (rise > _TRAIN_RISE or sure_rise > _RISE_ABOVE)
    return is_far or has_risen or not math.isfinite(evidence.rise)


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
