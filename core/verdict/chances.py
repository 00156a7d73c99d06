"""How likely the validation loss has risen, will fall, and what the model has learnt fits.

"Has risen" and "will fall" are on all rows there could be, of which the validation rows are a few,
and by half as many epochs again. All weights and trees are in `fitted.json`, which
`python -m tests.benchmarks.verdict.fit` wrote: it fitted them to runs whose truth is known, those
of the tuning families in `tests/benchmarks/verdict/`.
"""

import math
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from .curves import Curves
from .evidence import Evidence
from .features import clipped, features_of
from .trees import Forest, Trees, logistic

FITTED = Path(__file__).with_name("fitted.json")
Terms = tuple[float, ...]
# Shares of next to nothing that can be learnt say little, and so do those of many times as much.
_LEAST_LEARNABLE, _MOST_TIMES = 0.02, 3.0


class Chances(msgspec.Struct, frozen=True):
    """How likely each is, 0 to 1; a slight change may be one, a clear change is one.

    Args:
        rises: the validation loss is above its lowest.
        rises_clearly: by so much that it is beyond doubt.
        falls: half as many epochs again lower it.
        falls_clearly: by so much that it is beyond doubt.
        fits: at least half of what can be learnt has been, if neither loss moves any more.
    """

    rises: float
    rises_clearly: float
    falls: float
    falls_clearly: float
    fits: float


class Fitted(msgspec.Struct, frozen=True):
    """What was fitted: trees by what they tell the chance of, over named features, and weights.

    The weights, of a constant and then of each term, are of `fits`, without and with what the
    rows tell of what can be learnt.
    """

    features: list[str]
    rises: Trees
    rises_clearly: Trees
    falls: Trees
    falls_clearly: Trees
    fit: Terms
    fit_by_rows: Terms


class Model:
    """What was fitted, ready to tell chances."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted
        self._rises, self._rises_clearly = Forest(fitted.rises), Forest(fitted.rises_clearly)
        self._falls, self._falls_clearly = Forest(fitted.falls), Forest(fitted.falls_clearly)

    def chances(self, curves: Curves, evidence: Evidence) -> Chances:
        """The chances by curves and their evidence."""
        named = features_of(curves, evidence)
        features = np.array([named[name] for name in self._fitted.features], np.float64)
        return Chances(
            rises=self._rises.chance(features),
            rises_clearly=self._rises_clearly.chance(features),
            falls=self._falls.chance(features),
            falls_clearly=self._falls_clearly.chance(features),
            fits=self._chance_of_fit(evidence),
        )

    def _chance_of_fit(self, evidence: Evidence) -> float:
        known = evidence.learnable is not None
        constant, *weights = self._fitted.fit_by_rows if known else self._fitted.fit
        terms = zip(weights, fit_terms(evidence), strict=True)
        return logistic(constant + sum(weight * term for weight, term in terms))


@cache
def model() -> Model:
    """The model of `fitted.json`, read when it is first asked for."""
    return Model(msgspec.json.decode(FITTED.read_bytes(), type=Fitted))


def fit_terms(evidence: Evidence) -> Terms:
    """What tells whether a model has learnt what there is to learn.

    Little that is learnt and no gap may be too small a model, or noise that no model can learn.
    What can be learnt tells the two apart, where it is known: of it the model has learnt a share.
    Like rows tell it best, but where the inputs are many or the targets are intricate they know
    of less than there is.
    """
    learnt = clipped(evidence.learnt, -0.1, 1.0)
    train_learnt = clipped(evidence.train_learnt, -0.1, 1.0)
    terms = (
        math.log(0.15 + learnt),
        math.log(0.15 + train_learnt),
        clipped(evidence.gap, -0.1, 0.5),
    )
    if evidence.learnable is None:
        return terms
    most = max(evidence.learnt, evidence.train_learnt)
    share = clipped(most / max(evidence.learnable, _LEAST_LEARNABLE), 0.0, _MOST_TIMES)
    unlearnt = evidence.unlearnt_share
    of_rows = (math.sqrt(clipped(unlearnt or 0.0, 0.0, 1.5)), float(unlearnt is None))
    return (*terms, math.log(0.1 + share), *of_rows)
