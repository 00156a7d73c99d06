import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.training.lr_curve import Fall, LrCurve, find_fall

STEPS, STEPS_A_DECADE = 100, 12
LossAt = Callable[[int], float]


def curve_of(losses: Iterable[float], steps: int = STEPS) -> LrCurve:
    curve = LrCurve(steps)
    for loss in losses:
        curve.add(loss)
        if curve.ending != "completed":
            break
    return curve


def fall_of(losses: Iterable[float], steps: int = STEPS) -> Fall | None:
    return find_fall(curve_of(losses, steps), STEPS_A_DECADE)


def slide(middle: int, *, from_: float = 2.0, to: float = 0.5, room: int = 30) -> LossAt:
    """A loss that falls around a step, most steeply there, and explodes so many steps later."""

    def loss(step: int) -> float:
        fallen = 1 / (1 + math.exp((middle - step) / 3))
        return from_ - (from_ - to) * fallen + math.exp(step - middle - room)

    return loss


def test_the_average_begins_with_the_first_loss() -> None:
    assert curve_of([3.0]).smoothed == pytest.approx([3.0])


@given(st.floats(-1e6, 1e6), st.integers(10, 500))
def test_the_average_of_equal_losses_is_that_loss_from_the_start(loss: float, steps: int) -> None:
    assert curve_of([loss] * 10, steps).smoothed == pytest.approx([loss] * 10, rel=1e-9)


def test_the_average_looks_back_over_a_fifteenth_of_the_test() -> None:
    curve = curve_of([1.0] * 500 + [2.0] * 50, steps=750)

    risen = curve.smoothed[-1] - 1.0
    assert risen == pytest.approx(1 - math.exp(-1), abs=0.01)


def test_a_loss_above_four_times_its_best_ends_the_test() -> None:
    curve = curve_of([1.0] * 50 + [1e6] * 50)

    assert curve.ending == "diverged"
    assert len(curve.losses) == 51


def test_a_loss_that_only_returns_to_where_it_began_does_not_end_the_test() -> None:
    # nearly 0 in the middle: many times that is still no divergence
    curve = curve_of([1.0] * 40 + [1e-9] * 30 + [1.0] * 30)

    assert curve.ending == "completed"
    assert min(curve.smoothed) < 1.0 / 4


def test_a_loss_below_0_may_fall_further() -> None:
    curve = curve_of(1.0 - step / 10 for step in range(STEPS))

    assert curve.ending == "completed"


def test_a_loss_below_0_diverges_upwards() -> None:
    assert curve_of([-1.0] * 50 + [100.0] * 50).ending == "diverged"


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_ends_the_test_at_any_step(loss: float) -> None:
    curve = curve_of([1.0, 1.0, loss, 1.0])

    assert curve.ending == "not_finite"
    assert len(curve.losses) == 3
    assert math.isnan(curve.smoothed[-1])


@pytest.mark.parametrize("middle", [25, 40, 60])
def test_the_steepest_step_is_in_the_middle_of_the_fall(middle: int) -> None:
    fall = fall_of(map(slide(middle), range(STEPS)))

    assert fall is not None
    assert fall.steepest == pytest.approx(middle, abs=1)
    assert middle < fall.lowest < middle + 35


def test_what_falls_before_the_last_fall_does_not_count() -> None:
    # a batch of a large loss in the flat part makes the steepest slope of all
    losses = [slide(60)(step) for step in range(STEPS)]
    losses[20:23] = [4.0, 4.0, 4.0]

    fall = fall_of(losses)

    assert fall is not None
    assert fall.steepest == pytest.approx(60, abs=1)


def test_what_is_suggested_is_a_decade_before_the_lowest_or_the_steepest_if_that_is_less() -> None:
    def gentle_end(step: int) -> float:
        return slide(30)(step) - 0.01 * max(0, step - 40)

    quick = fall_of(map(slide(60, room=12), range(STEPS)))
    slow = fall_of(map(gentle_end, range(STEPS)))

    assert quick is not None
    assert quick.suggested == quick.lowest - STEPS_A_DECADE < quick.steepest
    assert slow is not None
    assert slow.suggested == slow.steepest < slow.lowest - STEPS_A_DECADE


def test_what_is_suggested_is_never_before_the_first_step() -> None:
    fall = find_fall(curve_of(map(slide(40), range(STEPS))), steps_a_decade=1000)

    assert fall is not None
    assert fall.suggested == 0


@pytest.mark.parametrize(
    "losses",
    [
        [1.0] * STEPS,
        [0.0] * STEPS,
        [1.0 + step for step in range(STEPS)],
        [1.0 - 1e-6 * step for step in range(STEPS)],
        [math.nan],
        [2.0, 50.0, 1e4, math.inf],
        [2.0, *[1e4] * 59, *np.geomspace(1e4, 10, 40)],
    ],
    ids=["flat", "zero", "rising", "hardly falling", "nan at once", "exploding", "recovering"],
)
def test_a_loss_that_does_not_fall_below_where_it_began_suggests_nothing(
    losses: list[float],
) -> None:
    assert fall_of(losses) is None


def share_with_a_fall(loss_at: LossAt, scatter: float) -> float:
    found = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(0, scatter, STEPS)
        found += fall_of(loss_at(step) + noise[step] for step in range(STEPS)) is not None
    return found / 200


def test_batches_that_differ_suggest_nothing_by_themselves() -> None:
    assert share_with_a_fall(lambda _step: 5.0, scatter=0.5) < 0.1


def test_a_fall_of_twice_the_batches_scatter_is_found() -> None:
    assert share_with_a_fall(slide(60, from_=5.0, to=4.0), scatter=0.5) > 0.95


@given(st.lists(st.floats(-1e30, 1e30), min_size=10, max_size=60), st.integers(1, 100))
def test_any_losses_give_steps_that_were_taken_or_none(
    losses: list[float], steps_a_decade: int
) -> None:
    curve = curve_of(losses, steps=len(losses))
    fall = find_fall(curve, steps_a_decade)

    if fall is not None:
        assert 0 <= fall.suggested <= fall.steepest <= fall.lowest < len(curve.losses)
        assert curve.smoothed[fall.lowest] < curve.began
