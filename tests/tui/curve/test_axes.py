"""Axes have round ticks, hold what they show and keep still."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from epochtop.tui.curve.axes import Axis, count_axis, log_axis, loss_axis, time_axis, value_axis

# Losses are measured in float32.
finite_losses = st.floats(width=32, allow_nan=False, allow_infinity=False)

# The axis of epochs.


def check_axis(axis: Axis) -> None:
    """What holds for every axis."""
    assert axis.low < axis.high
    assert math.isfinite(axis.low)
    assert math.isfinite(axis.high)
    assert len(axis.ticks) == len(axis.labels) >= 2
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


@given(last=st.integers(1, 10**8), max_ticks=st.integers(2, 30))
@example(last=1, max_ticks=2)
@example(last=10**8, max_ticks=2)
def test_ticks_are_whole_epochs_from_none_on(last: int, max_ticks: int) -> None:
    axis = count_axis(0, last, max_ticks=max_ticks)
    check_axis(axis)
    assert axis.low == axis.ticks[0] == 0
    assert axis.high >= last
    assert all(tick.is_integer() for tick in axis.ticks)
    assert [int(label.replace(",", "")) for label in axis.labels] == list(axis.ticks)
    assert len(axis.ticks) <= max_ticks + 2


@given(last=st.integers(10, 10**8))
def test_an_axis_of_epochs_is_mostly_filled(last: int) -> None:
    axis = count_axis(0, last, max_ticks=8)
    assert last / axis.high >= 0.5


def test_an_axis_of_epochs_grows_in_steps() -> None:
    highs = {count_axis(0, last, max_ticks=8).high for last in range(100, 1000)}
    assert len(highs) < 30


@pytest.mark.parametrize(
    ("last", "labels"),
    [
        (1, ("0", "1")),
        (2, ("0", "1", "2")),
        (5, ("0", "1", "2", "3", "4", "5")),
        (100, ("0", "20", "40", "60", "80", "100")),
        (5000, ("0", "1,000", "2,000", "3,000", "4,000", "5,000")),
    ],
)
def test_ticks_of_epochs_are_round(last: int, labels: tuple[str, ...]) -> None:
    assert count_axis(0, last, max_ticks=6).labels == labels


# The axis of losses.

HOSTILE = [
    (0.0, 0.0),
    (0.5, 0.5),
    (-0.5, -0.5),
    (0.0, 1.0),
    (-1.0, 1.0),
    (1e30, 1e30),
    (0.0, 1e30),
    (-1e30, 1e30),
    (1e-30, 1e-30),
    (0.0, 1e-30),
    (1e-45, 2e-45),
    (-3.4e38, 3.4e38),
    (1.0, 1.0000001),
    (0.3, 0.7),
    (0.1, 0.30000000000000004),
    (999.99999, 1000.00001),
]


def check_holds(low: float, high: float, max_ticks: int) -> None:
    axis = loss_axis(low, high, max_ticks)
    check_axis(axis)
    assert axis.low <= low
    assert axis.high >= high
    slack = (axis.ticks[1] - axis.ticks[0]) * 1e-6
    assert axis.low == pytest.approx(axis.ticks[0], abs=slack)
    assert axis.high == pytest.approx(axis.ticks[-1], abs=slack)
    assert len(axis.ticks) <= max_ticks + 3


@pytest.mark.parametrize(("low", "high"), HOSTILE)
@pytest.mark.parametrize("max_ticks", [2, 5, 20])
def test_an_axis_of_losses_holds_them_between_its_ticks(
    low: float, high: float, max_ticks: int
) -> None:
    check_holds(low, high, max_ticks)


@given(ends=st.tuples(finite_losses, finite_losses), max_ticks=st.integers(2, 20))
def test_an_axis_of_any_losses_holds_them_between_its_ticks(
    ends: tuple[float, float], max_ticks: int
) -> None:
    low, high = min(ends), max(ends)
    check_holds(low, high, max_ticks)


@given(low=st.floats(0, 1), high=st.floats(1.5, 3), max_ticks=st.integers(4, 20))
def test_an_axis_of_losses_is_mostly_filled(low: float, high: float, max_ticks: int) -> None:
    axis = loss_axis(low, high, max_ticks)
    assert (high - low) / (axis.high - axis.low) >= 0.3


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 1.0, ("0.0", "0.2", "0.4", "0.6", "0.8", "1.0")),
        (0.52, 0.61, ("0.52", "0.54", "0.56", "0.58", "0.60", "0.62")),
        (-1.0, 1.0, ("-1.0", "-0.5", "0.0", "0.5", "1.0")),
        (0.3, 0.7, ("0.3", "0.4", "0.5", "0.6", "0.7")),
        (0.0, 100.0, ("0", "20", "40", "60", "80", "100")),
        (0.0, 1e30, ("0", "2e+29", "4e+29", "6e+29", "8e+29", "1e+30")),
    ],
)
def test_ticks_of_losses_are_round(low: float, high: float, labels: tuple[str, ...]) -> None:
    assert loss_axis(low, high, 5).labels == labels


@pytest.mark.parametrize(
    ("low", "high"),
    [
        *HOSTILE,
        (2.345e-5, 2.351e-5),
        (1_000_000.0, 1_000_010.0),
        (1.23456e12, 1.23457e12),
        (0.6931, 0.6932),
    ],
)
def test_labels_tell_each_tick_from_its_neighbours(low: float, high: float) -> None:
    axis = loss_axis(low, high, 5)
    assert len(set(axis.labels)) == len(axis.labels)
    step = axis.ticks[1] - axis.ticks[0]
    for tick, label in zip(axis.ticks, axis.labels, strict=True):
        assert float(label) == pytest.approx(tick, rel=1e-12, abs=step / 2)


def test_a_window_of_epochs_ends_where_it_was_put() -> None:
    axis = count_axis(10.25, 19.75, max_ticks=5, is_whole=False)
    assert (axis.low, axis.high) == (10.25, 19.75)
    assert axis.labels == ("12", "14", "16", "18")


@pytest.mark.parametrize(
    ("high", "labels"),
    [
        (0.4, ("0.0 s", "0.1 s", "0.2 s", "0.3 s", "0.4 s")),
        (20, ("0:00", "0:05", "0:10", "0:15", "0:20")),
        (500, ("0:00", "2:00", "4:00", "6:00", "8:00", "10:00")),
        (4 * 3600, ("0:00", "1:00:00", "2:00:00", "3:00:00", "4:00:00")),
    ],
)
def test_ticks_of_time_are_parts_of_a_minute_or_an_hour(
    high: float, labels: tuple[str, ...]
) -> None:
    assert time_axis(0, high, max_ticks=5).labels == labels


@given(high=st.floats(0, 1e9), max_ticks=st.integers(2, 30))
def test_an_axis_of_any_time_holds_it(high: float, max_ticks: int) -> None:
    axis = time_axis(0, high, max_ticks=max_ticks)
    check_axis(axis)
    assert axis.high >= high
    assert len(axis.ticks) <= max_ticks + 2


# The logarithmic axis.


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.01, 100.0, ("0.01", "0.1", "1", "10", "100")),
        (0.03, 0.9, ("0.02", "0.05", "0.1", "0.2", "0.5", "1")),
        (0.52, 0.61, ("0.52", "0.54", "0.56", "0.58", "0.60", "0.62")),
        (1e-30, 1e30, ("1e-30", "1e-25", "1e-20", "1e-15", "1e-10", "1e-05", "1")),
    ],
)
def test_ticks_of_logarithms_are_powers_and_2_and_5_times_them(
    low: float, high: float, labels: tuple[str, ...]
) -> None:
    axis = log_axis(math.log10(low), math.log10(high), 14 if high > 1e9 else 6)
    assert axis.labels[: len(labels)] == labels
    for tick, label in zip(axis.ticks, axis.labels, strict=True):
        assert 10**tick == pytest.approx(float(label), rel=1e-6)


@pytest.mark.parametrize("max_ticks", [3, 5, 10])
@pytest.mark.parametrize("decades", [9, 13, 30, 60])
def test_many_powers_of_ten_have_round_ticks_between_their_ends(
    decades: int, max_ticks: int
) -> None:
    axis = log_axis(-decades + 0.25, 0.25, max_ticks)
    assert 2 <= len(axis.ticks) <= max_ticks
    assert all(tick == round(tick) for tick in axis.ticks)


positive = st.floats(1e-300, 1e300)


@given(ends=st.tuples(positive, positive), max_ticks=st.integers(2, 20))
@example(ends=(1.0, 1.0), max_ticks=2)
@example(ends=(5e-324, 1.7e308), max_ticks=2)
def test_an_axis_of_any_logarithms_holds_them(ends: tuple[float, float], max_ticks: int) -> None:
    low, high = math.log10(min(ends)), math.log10(max(ends))
    axis = log_axis(low, high, max_ticks)
    check_axis(axis)
    assert axis.low <= low
    assert axis.high >= high


# What stands still.


def test_an_axis_stays_while_it_holds_the_values_well() -> None:
    before = loss_axis(0.0, 1.0, 5)
    assert value_axis((0.1, 0.8), "linear", 5, before) is before
    assert value_axis((0.1, 1.1), "linear", 5, before).high > 1
    assert value_axis((0.1, 0.3), "linear", 5, before).high < 0.5
    assert value_axis((0.1, 0.8), "log", 5, before).scale == "log"


@pytest.mark.parametrize("value", [5e-4, 0.1, -3.0, 1e30, 1e-30])
def test_the_last_digit_of_a_constant_is_not_magnified(value: float) -> None:
    """A smoothed learning rate of 0.0005 was drawn on an axis from ...49999 to ...50001."""
    axis = loss_axis(value, math.nextafter(value, math.inf), 5)
    assert axis.high - axis.low > abs(value) / 2
    assert max(map(len, axis.labels)) < 10
