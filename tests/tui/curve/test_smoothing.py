"""The moving average is the plain loop's, however it is cut into pieces."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.tui.curve import smoothing
from epochtop.tui.curve.smoothing import Carry, Smoother, smooth_into, smoothed

from .columns import NAN, Floats

WEIGHTS = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999])
values = st.lists(st.just(NAN) | st.floats(1e-3, 1e3), max_size=120)


def plain_loop(column: list[float], weight: float) -> list[float]:
    total, of_weights, averages = 0.0, 0.0, []
    for value in column:
        if math.isfinite(value):
            total = weight * total + (1 - weight) * value
            of_weights = weight * of_weights + (1 - weight)
        averages.append(total / of_weights if math.isfinite(value) else NAN)
    return averages


@given(column=values, weight=WEIGHTS)
def test_an_average_is_that_of_the_plain_loop(column: list[float], weight: float) -> None:
    averages, _ = smoothed(np.array(column), weight)
    assert averages.tolist() == pytest.approx(plain_loop(column, weight), rel=1e-9, nan_ok=True)


@given(column=values, weight=WEIGHTS, cut=st.integers(0, 120))
def test_an_average_that_goes_on_is_that_of_the_whole(
    column: list[float], weight: float, cut: int
) -> None:
    whole, end = smoothed(np.array(column), weight)
    first, carry = smoothed(np.array(column[:cut]), weight)
    rest, last = smoothed(np.array(column[cut:]), weight, carry)
    assert [*first, *rest] == pytest.approx(whole.tolist(), rel=1e-9, nan_ok=True)
    assert last.count == end.count


def test_the_average_of_a_long_noisy_series_is_that_of_the_plain_loop() -> None:
    column = np.random.default_rng(0).normal(1, 0.5, 70_000)
    column[::37] = NAN
    averages, _ = smoothed(column, 0.98)
    expected = plain_loop(column.tolist(), 0.98)
    assert averages.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("constant", [0.0, 0.1, -3.0, 1e30, 1e-30])
def test_a_constant_stays_constant(constant: float) -> None:
    averages, _ = smoothed(np.full(5000, constant), 0.99)
    assert set(averages) == {constant}


def test_the_first_value_does_not_drag() -> None:
    averages, _ = smoothed(np.array([5.0, 1.0]), 0.9)
    assert averages.tolist() == pytest.approx([5.0, (0.9 * 5 + 1) / 1.9])


def test_a_gap_stays_a_gap_and_poisons_nothing() -> None:
    averages, carry = smoothed(np.array([1.0, NAN, 1.0]), 0.5)
    assert averages.tolist() == pytest.approx([1.0, NAN, 1.0], nan_ok=True)
    assert carry.count == 2


def test_the_average_of_nothing_finite_is_all_gaps() -> None:
    averages, carry = smoothed(np.array([NAN, NAN]), 0.5)
    assert np.isnan(averages).all()
    assert carry == Carry()


class TestSmoother:
    def test_works_out_only_what_is_new(self, monkeypatch: pytest.MonkeyPatch) -> None:
        memory = np.random.default_rng(1).random(2000)
        smoother, lengths = Smoother(), []
        whole = smoothed(memory, 0.9)[0]

        def counted(averages: Floats, values: Floats, weight: float, before: Carry) -> Carry:
            lengths.append(len(values))
            return smooth_into(averages, values, weight, before)

        monkeypatch.setattr(smoothing, "smooth_into", counted)
        for length in (1000, 1000, 1003, 2000):
            shown = smoother.smooth("val_loss", memory[:length], 0.9)
            assert shown == pytest.approx(whole[:length], rel=1e-9)
        assert lengths == [1000, 3, 997]

    def test_begins_anew_for_other_values_or_another_weight(self) -> None:
        smoother, column = Smoother(), np.array([1.0, 2.0, 3.0])
        smoother.smooth("val_loss", column, 0.5)
        other = np.array([1.0, 9.0, 9.0, 9.0])
        shown = smoother.smooth("val_loss", other, 0.5)
        assert shown == pytest.approx(smoothed(other, 0.5)[0])
        assert smoother.smooth("val_loss", other, 0.9) == pytest.approx(smoothed(other, 0.9)[0])

    def test_what_was_shown_before_stays_as_it_was(self) -> None:
        smoother, memory = Smoother(), np.arange(1.0, 3000.0)
        early = smoother.smooth("val_loss", memory[:10], 0.9)
        before = early.tolist()
        smoother.smooth("val_loss", memory, 0.9)
        assert early.tolist() == before
