"""Fits the weights of `core/verdict/estimates.py` to runs whose truth is known, and prints them.

    python -m tests.benchmarks.verdict.fit FILE

FILE holds the runs, as `tests.benchmarks.verdict` wrote them; those of the tuning families count,
at their ends and at some epochs before. What is maximised is the likelihood of the true changes
under their estimated distributions, and of the answers to the two questions that a verdict asks.
Printed, too, is how often the verdict is right on a family when the weights are fitted to the
others: what to expect on runs of other kinds.
"""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from epochtop.core.verdict import estimates
from epochtop.core.verdict.curves import curves_of
from epochtop.core.verdict.estimates import LOG_SPREADS, NO_CHANGE, Terms, Weights, on_scale
from epochtop.core.verdict.evidence import Evidence, evidence_of
from epochtop.core.verdict.judge import diverges, judge

from .runs import LabelledRun, runs_of
from .truth import attainable, changes, is_improving, is_overfitting, truths

Floats = NDArray[np.float64]
# At which parts of a run it is looked at, and how much the earlier ones count.
_PARTS, _EARLIER_COUNT = (1.0, 0.8, 0.6, 0.4), 0.6
_FEWEST_EPOCHS = 12
# A true change lies within these on the scale; how much its side of the two shares counts.
_LOWEST, _HIGHEST, _ANSWERS_COUNT = -0.5, 2.5, 3.0
_RIDGE = 2.0


class Example(msgspec.Struct, frozen=True):
    """What was measured of a run after some epochs, and what is true of it."""

    family: str
    evidence: Evidence
    rise: float
    fall: float
    rises: bool | None
    falls: bool | None
    fits: bool | None
    counts: float


def examples_of(runs: Sequence[LabelledRun], best: dict[int, float]) -> list[Example]:
    """The examples of all runs that do not diverge."""
    found = []
    for place, run in enumerate(runs):
        for part in _PARTS:
            epochs = int(part * run.epochs)
            if epochs < _FEWEST_EPOCHS:
                continue
            truth = truths(run, epochs, best[place])
            if truth == {"diverging"}:
                continue
            evidence = evidence_of(curves_of(run.records[:epochs], run.baseline))
            if evidence is None or diverges(evidence):
                continue
            rise, fall = (_on_scale(change) for change in changes(run, epochs))
            counts = 1.0 if part == 1.0 else _EARLIER_COUNT
            rises, falls = is_overfitting(run, epochs), is_improving(run, epochs)
            found.append(
                Example(run.family, evidence, rise, fall, rises, falls, _fits(truth), counts)
            )
    return found


def _fits(truth: frozenset[str]) -> bool | None:
    """Whether a loss that stays fits; None where it does not stay, or nobody can tell."""
    both = truth & {"good_fit", "underfitting"}
    return "good_fit" in both if len(both) == 1 else None


def _on_scale(change: float) -> float:
    return min(max(on_scale(change), _LOWEST), _HIGHEST)


class Fitted(msgspec.Struct, frozen=True):
    """All weights, as `estimates` has them."""

    rise: Weights
    fall: Weights
    fit: Terms
    fit_by_unlearnt: Terms

    def used(self) -> AbstractContextManager[object]:
        """Judge by them for a while."""
        return mock.patch.multiple(
            estimates,
            _RISE=self.rise,
            _FALL=self.fall,
            _FIT=self.fit,
            _FIT_BY_UNLEARNT=self.fit_by_unlearnt,
        )


def fitted(examples: Sequence[Example]) -> Fitted:
    """The weights that make what is true of the examples likeliest."""
    rises = [(each.rise, each.rises) for each in examples]
    falls = [(each.fall, each.falls) for each in examples]
    still = [each for each in examples if each.fits is not None]
    known = [each for each in still if each.evidence.unlearnt_share is not None]
    return Fitted(
        _fitted_change(examples, [estimates.rise_terms(each.evidence) for each in examples], rises),
        _fitted_change(examples, [estimates.fall_terms(each.evidence) for each in examples], falls),
        _fitted_fit(still, [_without_residuals(each.evidence) for each in still]),
        _fitted_fit(known, [each.evidence for each in known]),
    )


def _without_residuals(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, unlearnt_share=None)


def _fitted_fit(examples: Sequence[Example], evidence: Sequence[Evidence]) -> Terms:
    columns = _Columns.of([estimates.fit_terms(each) for each in evidence])
    model = LogisticRegression(C=1 / _RIDGE, tol=1e-8)
    model.fit(
        columns.values[:, 1:],
        [bool(each.fits) for each in examples],
        sample_weight=[each.counts for each in examples],
    )
    return columns.raw(np.concatenate([model.intercept_, model.coef_[0]]))


def _fitted_change(
    examples: Sequence[Example],
    terms: Sequence[tuple[Terms, Terms]],
    true: Sequence[tuple[float, bool | None]],
) -> Weights:
    middle, spread = (_Columns.of([each[place] for each in terms]) for place in (0, 1))
    start = np.zeros(middle.count + spread.count)
    start[0] = np.mean([change for change, _ in true])
    given = _Given(
        middle.values,
        spread.values,
        np.array([change for change, _ in true]),
        np.array([each.counts for each in examples]),
        _questions(examples, [answer for _, answer in true]),
    )
    found = minimize(_loss_and_slope, start, (given,), jac=True, method="L-BFGS-B").x
    return Weights(middle.raw(found[: middle.count]), spread.raw(found[middle.count :]))


def _questions(
    examples: Sequence[Example], answers: Sequence[bool | None]
) -> list[tuple[Floats, Floats]]:
    """What a verdict asks: shares on the scale, and whether the truth calls the change above it."""
    clear = np.array([on_scale(estimates.clear_change(each.evidence)) for each in examples])
    slight = np.full(len(examples), on_scale(NO_CHANGE))
    return [
        (slight, np.array([float(answer is not False) for answer in answers])),
        (clear, np.array([float(answer is True) for answer in answers])),
    ]


class _Given(msgspec.Struct, frozen=True):
    """What the weights of a change are fitted to."""

    middle: Floats
    spread: Floats
    true: Floats
    counts: Floats
    questions: list[tuple[Floats, Floats]]


class _Columns(msgspec.Struct, frozen=True):
    """Terms brought to mean 0 and standard deviation 1, after a column of ones."""

    values: Floats
    means: Floats
    deviations: Floats

    @classmethod
    def of(cls, terms: Sequence[Terms]) -> "_Columns":
        raw = np.array(terms, np.float64)
        means, deviations = raw.mean(0), raw.std(0) + 1e-9
        ones = np.ones((len(raw), 1))
        return cls(np.hstack([ones, (raw - means) / deviations]), means, deviations)

    @property
    def count(self) -> int:
        """The terms, and the constant."""
        return int(self.values.shape[1])

    def raw(self, weights: Floats) -> Terms:
        """The weights of the terms as they are."""
        each = weights[1:] / self.deviations
        constant = weights[0] - float(each @ self.means)
        return tuple(round(float(weight), 3) for weight in (constant, *each))


def _loss_and_slope(weights: Floats, given: _Given) -> tuple[float, Floats]:
    """The negative logarithm of the likelihood with a ridge, and its slope."""
    cut = given.middle.shape[1]
    centre = given.middle @ weights[:cut]
    log_width = np.clip(given.spread @ weights[cut:], *LOG_SPREADS)
    width = np.exp(log_width)
    z = (given.true - centre) / width
    loss = np.abs(z) + 2 * np.log1p(np.exp(-np.abs(z))) + log_width
    by_centre, by_width = -np.tanh(z / 2) / width, 1 - z * np.tanh(z / 2)
    for share, is_above in given.questions:
        score = np.clip((centre - share) / width, -30, 30)
        chance = 1 / (1 + np.exp(-score))
        loss -= _ANSWERS_COUNT * np.log(np.where(is_above > 0, chance, 1 - chance) + 1e-12)
        by_centre += _ANSWERS_COUNT * (chance - is_above) / width
        by_width -= _ANSWERS_COUNT * (chance - is_above) * score
    ridge = np.full(len(weights), _RIDGE)
    ridge[[0, cut]] = 0
    slope = np.concatenate(
        [given.middle.T @ (given.counts * by_centre), given.spread.T @ (given.counts * by_width)]
    )
    return float(given.counts @ loss + 0.5 * ridge @ weights**2), slope + ridge * weights


def print_families(
    runs: Sequence[LabelledRun], best: dict[int, float], examples: Sequence[Example]
) -> None:
    """How often the verdict is right on each family with weights fitted to the others."""
    totals = np.zeros(3, np.int64)
    print(f"{'family':28}{'runs':>8}{'committed':>12}{'right':>10}")
    for family in dict.fromkeys(run.family for run in runs):
        with fitted([each for each in examples if each.family != family]).used():
            counts = np.array([_judged(run, best[place]) for place, run in enumerate(runs)
                               if run.family == family]).sum(0)  # fmt: skip
        totals += counts
        print(f"{family:28}{counts[0]:8}{counts[1]:12}{counts[2] / counts[1]:10.1%}")
    print(f"{'all':28}{totals[0]:8}{totals[1]:12}{totals[2] / totals[1]:10.1%}")


def _judged(run: LabelledRun, attainable_loss: float) -> tuple[int, bool, bool]:
    """One run, whether the verdict commits itself, and whether it is right then."""
    said = judge(curves_of(run.records[: run.epochs], run.baseline)).name
    return 1, said != "inconclusive", said in truths(run, run.epochs, attainable_loss)


def main() -> None:
    """Print the weights, and what to expect of them."""
    every = runs_of(0, Path(sys.argv[1]))
    runs = [run for run in every if run.is_for_tuning]
    best = attainable(runs)
    examples = examples_of(runs, best)
    weights = fitted(examples)
    print(f"_RISE = {weights.rise}\n_FALL = {weights.fall}\n_FIT = {weights.fit}")
    print(f"_FIT_BY_UNLEARNT = {weights.fit_by_unlearnt}")
    print_families(runs, best, examples)


if __name__ == "__main__":
    main()
