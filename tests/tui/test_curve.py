import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from epochtop.tui.curve import Axis, Frame, Line, build_frame, epoch_axis, loss_axis
from epochtop.tui.history import History
from epochtop.tui.state import RunState, reduce
from tests.records import epoch_record

NAN = math.nan
WIDTH, HEIGHT = 40, 12


def history_of(val: Sequence[float], train: Sequence[float] | None = None) -> History:
    """The history of a run with these losses from epoch 1 on."""
    records = [
        epoch_record(epoch, train_loss=train_loss, val_loss=val_loss)
        for epoch, (train_loss, val_loss) in enumerate(
            zip(val if train is None else train, val, strict=True), 1
        )
    ]
    return reduce(RunState(), records).history


def frame_of(
    val: Sequence[float],
    train: Sequence[float] | None = None,
    *,
    best_epoch: int | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Frame:
    frame = build_frame(history_of(val, train), best_epoch=best_epoch, width=width, height=height)
    assert frame is not None
    return frame


def points(line: Line) -> list[tuple[float, float]]:
    return list(zip(line.xs, line.ys, strict=True))


def columns_of(losses: Sequence[float], width: int) -> list[tuple[list[int], list[float]]]:
    """The epochs and losses of each column: two dots a cell, an equal share of the run each."""
    count = 2 * width
    edges = [len(losses) * side // count for side in range(count + 1)]
    return [
        (list(range(start + 1, end + 1)), list(losses[start:end])) for start, end in pairwise(edges)
    ]


# Losses are measured in float32.
finite_losses = st.floats(width=32, allow_nan=False, allow_infinity=False)
any_losses = st.just(NAN) | finite_losses | st.sampled_from([0.0, 1.0, -1.0])


@st.composite
def long_runs(draw: st.DrawFn) -> list[float]:
    """Many epochs, most of them alike, with gaps and spikes anywhere."""
    seed, epochs = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 3000))
    losses: list[float] = np.random.default_rng(seed).normal(size=epochs).tolist()
    places = st.integers(0, epochs - 1)
    for place, loss in draw(st.lists(st.tuples(places, any_losses), max_size=20)):
        losses[place] = loss
    return losses


# Decimation.


@given(losses=long_runs(), width=st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_every_columns_smallest_and_largest_loss_and_its_gaps_stay(
    losses: list[float], width: int
) -> None:
    kept = points(frame_of(losses, width=width).val)
    gaps = {epoch for epoch, loss in kept if math.isnan(loss)}
    for epochs, column in columns_of(losses, width):
        shown = [loss for epoch, loss in kept if epochs and epochs[0] <= epoch <= epochs[-1]]
        finite = [loss for loss in column if not math.isnan(loss)]
        assert min(finite, default=None) == min((y for y in shown if y == y), default=None)  # noqa: PLR0124
        assert max(finite, default=None) == max((y for y in shown if y == y), default=None)  # noqa: PLR0124
        assert any(map(math.isnan, column)) == bool(gaps.intersection(epochs))


@given(losses=long_runs(), width=st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_every_point_shown_was_measured_and_they_come_in_order(
    losses: list[float], width: int
) -> None:
    line = frame_of(losses, width=width).val
    assert list(line.xs) == sorted(set(line.xs))
    for epoch, loss in points(line):
        assert loss == pytest.approx(losses[int(epoch) - 1], rel=0, abs=0, nan_ok=True)


@given(losses=long_runs(), width=st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_the_first_and_the_last_point_stay(losses: list[float], width: int) -> None:
    line = frame_of(losses, width=width).val
    assert (line.xs[0], line.xs[-1]) == (1, len(losses))
    assert line.ys[0] == pytest.approx(losses[0], rel=0, abs=0, nan_ok=True)
    assert line.ys[-1] == pytest.approx(losses[-1], rel=0, abs=0, nan_ok=True)


def test_a_frame_of_a_long_run_is_small() -> None:
    frame = frame_of(np.linspace(1, 0, 100_000).tolist())
    assert len(frame.val.xs) <= 3 * 2 * WIDTH + 2


def test_a_short_run_is_shown_whole() -> None:
    losses = [3.0, NAN, 1.0, 2.0]
    frame = frame_of(losses, [0.5, 0.25, 0.75, NAN])
    assert list(frame.val.xs) == list(frame.train.xs) == [1, 2, 3, 4]
    assert frame.val.ys == pytest.approx(losses, nan_ok=True)
    assert frame.train.ys == pytest.approx([0.5, 0.25, 0.75, NAN], nan_ok=True)


def test_the_two_lines_keep_spikes_of_their_own() -> None:
    train, val = [1.0] * 5000, [1.0] * 5000
    train[1234], val[4321] = 50.0, -50.0
    frame = frame_of(val, train)
    assert (1235, 50.0) in points(frame.train)
    assert (4322, -50.0) in points(frame.val)
    assert max(frame.val.ys) == 1.0
    assert min(frame.train.ys) == 1.0


def test_later_epochs_of_shared_columns_are_not_drawn() -> None:
    state = reduce(RunState(), [epoch_record(1, val_loss=3.0), epoch_record(2, val_loss=2.0)])
    reduce(state, [epoch_record(3, val_loss=100.0, train_loss=100.0)])
    frame = build_frame(state.history, best_epoch=None, width=WIDTH, height=HEIGHT)
    assert frame is not None
    assert frame.val.ys == (3.0, 2.0)
    assert frame.y_axis.high < 100


# The frame.


def test_there_is_no_frame_of_nothing() -> None:
    assert build_frame(History(), best_epoch=None, width=WIDTH, height=HEIGHT) is None


def test_a_frame_has_the_size_that_was_asked_for() -> None:
    frame = frame_of([1.0], width=77, height=13)
    assert (frame.width, frame.height) == (77, 13)


def test_the_best_point_is_on_the_validation_line() -> None:
    assert frame_of([3.0, 1.0, 2.0], [9.0, 9.0, 9.0], best_epoch=2).best == (2, 1.0)


@pytest.mark.parametrize("best_epoch", [None, 4])
def test_there_is_no_best_point_without_its_epoch(best_epoch: int | None) -> None:
    assert frame_of([3.0, 1.0, 2.0], best_epoch=best_epoch).best is None


def test_the_best_point_of_a_long_run_stays_even_if_it_is_no_extreme() -> None:
    losses = [float(epoch % 7) for epoch in range(10_000)]
    assert frame_of(losses, best_epoch=5004).best == (5004, losses[5003])


@given(val=st.lists(any_losses, min_size=1, max_size=20), height=st.integers(1, 60))
@settings(deadline=None)
def test_the_axes_hold_every_point_of_both_lines(val: list[float], height: int) -> None:
    frame = frame_of(val, val[::-1], height=height)
    for line in (frame.train, frame.val):
        assert all(frame.x_axis.low <= x <= frame.x_axis.high for x in line.xs)
        assert all(frame.y_axis.low <= y <= frame.y_axis.high for y in line.ys if y == y)  # noqa: PLR0124


@pytest.mark.parametrize("losses", [[NAN], [NAN] * 5, [NAN] * 5000])
def test_losses_that_were_never_finite_have_axes_all_the_same(losses: list[float]) -> None:
    frame = frame_of(losses)
    check_axis(frame.x_axis)
    check_axis(frame.y_axis)
    assert all(map(math.isnan, frame.val.ys))


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
def test_ticks_are_whole_epochs_from_the_first_on(last: int, max_ticks: int) -> None:
    axis = epoch_axis(1, last, max_ticks=max_ticks)
    check_axis(axis)
    assert axis.low == axis.ticks[0] == 1
    assert axis.high >= last
    assert all(tick.is_integer() for tick in axis.ticks)
    assert [int(label.replace(",", "")) for label in axis.labels] == list(axis.ticks)
    assert len(axis.ticks) <= max_ticks + 2


@given(last=st.integers(10, 10**8))
def test_an_axis_of_epochs_is_mostly_filled(last: int) -> None:
    axis = epoch_axis(1, last, max_ticks=8)
    assert last / axis.high >= 0.5


def test_an_axis_of_epochs_grows_in_steps() -> None:
    highs = {epoch_axis(1, last, max_ticks=8).high for last in range(100, 1000)}
    assert len(highs) < 30


@pytest.mark.parametrize(
    ("last", "labels"),
    [
        (1, ("1", "2")),
        (2, ("1", "2")),
        (5, ("1", "2", "3", "4", "5")),
        (100, ("1", "20", "40", "60", "80", "100")),
        (5000, ("1", "1,000", "2,000", "3,000", "4,000", "5,000")),
    ],
)
def test_ticks_of_epochs_are_round(last: int, labels: tuple[str, ...]) -> None:
    assert epoch_axis(1, last, max_ticks=6).labels == labels


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
