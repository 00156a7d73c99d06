"""What a verdict's chances come from: the trees as they are kept, and what they look at."""

from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from epochtop.core.verdict.chances import FITTED, Fitted
from epochtop.core.verdict.curves import Curves, Floats
from epochtop.core.verdict.evidence import evidence_of
from epochtop.core.verdict.features import features_of
from epochtop.core.verdict.trees import Forest, Trees

from ..benchmarks.verdict.fit import booster, trees_of

FINITE = st.floats(-1e99, 1e99) | st.sampled_from([0.0, 1e-320, 1.0])


def features_at(train: Sequence[float] | Floats, val: Sequence[float] | Floats) -> dict[str, float]:
    curves = Curves(np.arange(1, len(val) + 1), np.array(train), np.array(val))
    evidence = evidence_of(curves)
    assert evidence is not None
    return features_of(curves, evidence)


def of_questions(fitted: Fitted) -> list[Trees]:
    return [fitted.rises, fitted.rises_clearly, fitted.falls, fitted.falls_clearly]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return msgspec.json.decode(FITTED.read_bytes(), type=Fitted)


def test_trees_as_they_are_kept_give_the_chances_of_those_that_were_grown() -> None:
    inputs, targets = load_breast_cancer(return_X_y=True)
    counts = np.linspace(0.5, 1.5, len(targets))
    inputs = inputs.astype(np.float32)
    model = booster().fit(inputs, targets, sample_weight=counts)
    forest = Forest(msgspec.json.decode(msgspec.json.encode(trees_of(model)), type=Trees))
    chances = [forest.chance(row) for row in inputs]
    assert np.allclose(chances, model.predict_proba(inputs)[:, 1], atol=0.002)
    assert np.mean((np.array(chances) > 0.5) == targets) > 0.95


def test_the_fitted_trees_look_at_what_is_measured_now(fitted: Fitted) -> None:
    assert fitted.features == list(features_at([1.0] * 6, [1.0] * 6))
    for tree in chain.from_iterable(each.trees for each in of_questions(fitted)):
        assert (len(tree.features), len(tree.thresholds), len(tree.leaves)) == (7, 7, 8)
        assert all(0 <= feature < len(fitted.features) for feature in tree.features)


@given(losses=st.lists(st.tuples(FINITE, FINITE), min_size=6, max_size=40))
@example(losses=[(0.0, val) for val in (0.0, 0.0, 1.0, -4048.0, 0.0, 1e-320)])  # inf times 0
def test_what_the_trees_look_at_is_finite_whatever_the_losses(
    losses: Sequence[tuple[float, float]],
) -> None:
    train, val = zip(*losses, strict=True)
    assert all(np.isfinite(number) for number in features_at(train, val).values())


@pytest.mark.parametrize("scale", [3.0, 0.1, 1e7, 1e-7])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_what_the_trees_look_at_has_no_unit(scale: float, noise: float) -> None:
    """Also of curves that stand still at last, where all that moves is rounding."""
    generator = np.random.default_rng(0)
    falls = np.maximum(np.exp(-np.arange(40) / 4), 0.05)
    train, val = (falls + generator.normal(0, noise, 40) for _ in range(2))
    once, scaled = features_at(train, val), features_at(scale * train, scale * val)
    assert scaled == pytest.approx(once, rel=1e-6, abs=1e-6)
