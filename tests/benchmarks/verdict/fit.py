"""Fits what a verdict's chances come from to runs whose truth is known; writes `fitted.json`.

    python -m tests.benchmarks.verdict.fit [RUNS_A_FAMILY [FILE]]

Trains RUNS_A_FAMILY (160) runs of every tuning family, or takes them from FILE, which is written
otherwise. They count at their ends and at some epochs before, and once more as a journal would have
them that knows of two losses and nothing else. Printed is how often the verdict is right on each
family when it and a few more were left out: what to expect on runs of other kinds.
"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from epochtop.core.verdict import judge as judging
from epochtop.core.verdict.chances import FITTED, Fitted, Model, Terms, fit_terms
from epochtop.core.verdict.curves import Curves
from epochtop.core.verdict.evidence import Evidence, evidence_of
from epochtop.core.verdict.features import features_of
from epochtop.core.verdict.judge import diverges, judge
from epochtop.core.verdict.trees import DEPTH, Tree, Trees

from .runs import LabelledRun, runs_of
from .truth import attainable, is_improving, is_overfitting, truths
from .tuning import TUNING

Floats = NDArray[np.float64]
# At which parts of a run it is looked at, and how much the earlier ones and those that know
# nothing but two losses count.
_PARTS, _EARLIER_COUNT, _BARE_COUNT = (1.0, 0.8, 0.6, 0.4), 0.6, 0.3
_FEWEST_EPOCHS = 12
_RIDGE = 2.0
# Families that are left out together when it is asked what to expect on others.
_GROUPS = 7
# So sure a verdict would have to be, for the table of what is then right and left open.
_SURE = (0.7, 0.75, 0.78, 0.8, 0.82, 0.84, 0.86, 0.88, 0.9, 0.95)


class Example(msgspec.Struct, frozen=True):
    """What was measured of a run after some epochs, and what is true of it."""

    family: str
    evidence: Evidence
    features: dict[str, float]
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
            if epochs < _FEWEST_EPOCHS or truths(run, epochs, best[place]) == {"diverging"}:
                continue
            counts = 1.0 if part == 1.0 else _EARLIER_COUNT
            both = ((run.curves(epochs), 1.0), (run.bare_curves(epochs), _BARE_COUNT))
            for curves, of_them in both:
                evidence = evidence_of(curves)
                if evidence is not None and not diverges(evidence):
                    found.append(_example(run, curves, evidence, best[place], counts * of_them))
    return found


def _example(
    run: LabelledRun, curves: Curves, evidence: Evidence, attainable_loss: float, counts: float
) -> Example:
    epochs = len(curves)
    return Example(
        run.family,
        evidence,
        features_of(curves, evidence),
        is_overfitting(run, epochs),
        is_improving(run, epochs),
        _fits(truths(run, epochs, attainable_loss)),
        counts,
    )


def _fits(truth: frozenset[str]) -> bool | None:
    """Whether a loss that stays fits; None where it does not stay, or nobody can tell."""
    both = truth & {"good_fit", "underfitting"}
    return "good_fit" in both if len(both) == 1 else None


def fitted(examples: Sequence[Example]) -> Fitted:
    """What makes what is true of the examples likeliest."""
    still = [each for each in examples if each.fits is not None]
    known = [each for each in still if each.evidence.learnable is not None]
    return Fitted(
        list(examples[0].features),
        rises=grown(examples, [each.rises is not False for each in examples]),
        rises_clearly=grown(examples, [each.rises is True for each in examples]),
        falls=grown(examples, [each.falls is not False for each in examples]),
        falls_clearly=grown(examples, [each.falls is True for each in examples]),
        fit=_fitted_fit(still, [_without_rows(each.evidence) for each in still]),
        fit_by_rows=_fitted_fit(known, [each.evidence for each in known]),
    )


def grown(examples: Sequence[Example], answers: Sequence[bool]) -> Trees:
    """Boosted trees that tell how likely the answer to a question about an example is yes."""
    features = np.array([list(each.features.values()) for each in examples], np.float32)
    counts = [each.counts for each in examples]
    return trees_of(booster().fit(features, answers, sample_weight=counts))


def booster() -> HistGradientBoostingClassifier:
    """What grows the trees, each question from a fifth of the features."""
    return HistGradientBoostingClassifier(
        max_iter=300,
        learning_rate=0.05,
        max_depth=DEPTH,
        min_samples_leaf=40,
        l2_regularization=5.0,
        max_features=0.2,
        early_stopping=False,
        random_state=0,
    )


def trees_of(model: HistGradientBoostingClassifier) -> Trees:
    """The trees of a classifier of two classes, fitted to features of single precision."""
    # scikit-learn shows no other way to the trees; a test compares with what it predicts.
    trees = [_tree(of_one_class.nodes) for (of_one_class,) in model._predictors]  # noqa: SLF001
    return Trees(round(float(model._baseline_prediction.item()), 5), trees)  # noqa: SLF001


def _tree(of: NDArray[np.void]) -> Tree:
    """A tree as it is kept: full, so that a branch that ends early ends in equal leaves.

    Args:
        of: its nodes, from the root on, as scikit-learn has them.
    """
    nodes = [0]
    features, thresholds = [], []
    for place in range(2**DEPTH - 1):
        node = nodes[place]
        is_leaf = bool(of["is_leaf"][node])
        features.append(0 if is_leaf else int(of["feature_idx"][node]))
        thresholds.append(0.0 if is_leaf else _single(of["num_threshold"][node]))
        nodes += [node, node] if is_leaf else [int(of["left"][node]), int(of["right"][node])]
    leaves = nodes[2**DEPTH - 1 :]
    return Tree(features, thresholds, [round(float(of["value"][leaf]), 5) for leaf in leaves])


def _single(threshold: float) -> float:
    """The largest number of single precision up to a threshold, in as few digits as tell it.

    Features are compared in single precision, which they had when the trees grew.
    """
    nearest = np.float32(threshold)
    return float(
        str(nearest if nearest <= threshold else np.nextafter(nearest, np.float32(-np.inf)))
    )


def _without_rows(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, unlearnt_share=None, learnable=None)


def _fitted_fit(examples: Sequence[Example], evidence: Sequence[Evidence]) -> Terms:
    terms = np.array([fit_terms(each) for each in evidence], np.float64)
    means, deviations = terms.mean(0), terms.std(0) + 1e-9
    model = LogisticRegression(C=1 / _RIDGE, tol=1e-8)
    model.fit(
        (terms - means) / deviations,
        [bool(each.fits) for each in examples],
        sample_weight=[each.counts for each in examples],
    )
    weights = model.coef_[0] / deviations
    constant = float(model.intercept_[0] - weights @ means)
    return tuple(round(float(weight), 3) for weight in (constant, *weights))


class Said(msgspec.Struct, frozen=True):
    """What is said of a family's run, however unsure, and whether it is right."""

    family: str
    confidence: float
    is_right: bool


def judged_by_others(
    runs: Sequence[LabelledRun], best: dict[int, float], examples: Sequence[Example]
) -> dict[str, list[Said]]:
    """What is said of each family's runs when all is fitted to families of other groups."""
    families = list(dict.fromkeys(run.family for run in runs))
    found: dict[str, list[Said]] = {family: [] for family in families}
    for group in (families[place::_GROUPS] for place in range(_GROUPS)):
        others = [each for each in examples if each.family not in group]
        of_group = [(run, best[place]) for place, run in enumerate(runs) if run.family in group]
        for said in _judged(others, of_group):
            found[said.family].append(said)
    return found


def _judged(examples: Sequence[Example], runs: Sequence[tuple[LabelledRun, float]]) -> list[Said]:
    model = Model(fitted(examples))
    with mock.patch.multiple(judging, model=lambda: model, SURE=0.0):
        return [_said(run, attainable_loss) for run, attainable_loss in runs]


def _said(run: LabelledRun, attainable_loss: float) -> Said:
    verdict = judge(run.curves(run.epochs))
    is_right = verdict.name in truths(run, run.epochs, attainable_loss)
    return Said(run.family, verdict.confidence, is_right)


def print_families(judged: dict[str, list[Said]]) -> None:
    """How often the verdict is right on each family, and on all by how sure it has to be."""
    print(f"{'family':28}{'runs':>8}{'committed':>12}{'right':>10}")
    for family, said in judged.items():
        committed, right = _above(said, judging.SURE)
        print(f"{family:28}{len(said):8}{committed:12}{right:10.1%}")
    every = [each for said in judged.values() for each in said]
    print(f"\n{'as sure as':>12}{'left open':>12}{'right':>10}")
    for sure in _SURE:
        committed, right = _above(every, sure)
        print(f"{sure:12.2f}{1 - committed / len(every):12.1%}{right:10.1%}")


def _above(said: Sequence[Said], sure: float) -> tuple[int, float]:
    committed = [each.is_right for each in said if each.confidence >= sure]
    return len(committed), float(np.mean(committed)) if committed else math.nan


def main() -> None:
    """Write what is fitted, and print what to expect of it."""
    per_family = int(sys.argv[1]) if len(sys.argv) > 1 else 160
    file = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    kept = runs_of(per_family, file, families=[family.name for family in TUNING])
    runs = [run for run in kept if run.is_for_tuning]  # whatever the file holds
    best = attainable(runs)
    examples = examples_of(runs, best)
    FITTED.write_text(as_text(fitted(examples)))
    print_families(judged_by_others(runs, best, examples))


def as_text(what: Fitted) -> str:
    """JSON, a line a tree."""
    text = msgspec.json.encode(what).decode()
    return text.replace("[[[", "[\n[[").replace("]],[[", "]],\n[[") + "\n"


if __name__ == "__main__":
    main()
