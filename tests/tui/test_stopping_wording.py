import pytest

from epochtop.core.events import Stopping
from epochtop.tui.words.stopping_wording import (
    new_best_text,
    rule_text,
    stopping_text,
)
from tests.records import improved, stopping_state


def test_the_rule_says_best_patience_and_target() -> None:
    state = stopping_state(
        best_loss=0.5, best_epoch=3, epochs_since_best=2, patience=10, target=0.4
    )
    assert stopping_text(state) == "best 0.5000 at 3, 2 since, patience 8 of 10, to beat 0.4000"


def test_the_rule_says_when_no_loss_was_finite_yet() -> None:
    state = stopping_state(epochs_since_best=2)
    assert stopping_text(state) == "no finite validation loss yet, 2 since, patience 8 of 10"


def test_patience_is_never_told_as_less_than_none() -> None:
    assert rule_text(stopping_state(patience=3, epochs_since_best=5)) == "patience 0 of 3"
    assert rule_text(stopping_state(patience=0, epochs_since_best=5)) == "patience off"


def test_a_best_loss_of_zero_is_told_as_such() -> None:
    assert new_best_text(improved(2, -0.5), improved(1, 0.0)) == (
        "new best -0.5000, was 0.000 at epoch 1"
    )


def prechelt(rule: str, measure: float | None, limit: float) -> Stopping:
    return stopping_state(
        best_loss=0.5,
        best_epoch=3,
        epochs_since_best=2,
        patience=0,
        target=0.5,
        rule=rule,
        measure=measure,
        limit=limit,
    )


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (prechelt("gl", 1.2999999, 2.0), "GL 1.3 of 2"),
        (prechelt("gl", 0.0, 0.5), "GL 0 of 0.5"),
        (prechelt("gl", 1e9, 2.0), "GL 1e+09 of 2"),
        (prechelt("pq", None, 2.0), "PQ not known, limit 2"),
        (prechelt("up", 1.0, 3.0), "UP 1 of 3"),
    ],
)
def test_a_rule_of_prechelts_says_its_measure_and_its_limit(state: Stopping, text: str) -> None:
    assert rule_text(state) == text
    assert stopping_text(state) == f"best 0.5000 at 3, 2 since, {text}, to beat 0.5000"
