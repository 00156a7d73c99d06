"""Where epochs lie on each x axis."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.tui.curve.places import (
    Places,
    carried_over,
    nearest_epoch,
    place_of_epoch,
    places_of,
)

from .columns import history_of


@given(
    gaps=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    at_middle=st.booleans(),
    as_floats=st.booleans(),
    wanted=st.lists(st.floats(-5, 100), max_size=10),
)
def test_the_first_place_from_an_x_on_is_found(
    gaps: list[int], at_middle: bool, as_floats: bool, wanted: list[float]
) -> None:
    ends = np.cumsum(gaps, dtype=np.int64)
    places = Places(ends.astype(np.float64) if as_floats else ends, 0.0, at_middle)
    xs = places.at(np.arange(len(ends)))
    found = places.first_from(np.array(wanted))
    assert found.tolist() == np.searchsorted(xs, wanted).tolist()


def test_an_epoch_to_come_lies_as_far_ahead_as_the_mean_epoch_takes() -> None:
    history = history_of([1.0] * 4)
    assert place_of_epoch(history, "epoch", 6) == 6
    assert place_of_epoch(history, "step", 6) == 60
    assert place_of_epoch(history, "time", 6) == 12


def test_a_history_that_begins_late_begins_where_its_first_epoch_did() -> None:
    history = history_of([1.0] * 4, first=11)
    assert places_of(history, "epoch").extent == (10, 14)
    assert places_of(history, "step").extent == (100, 140)


@pytest.mark.parametrize(("x", "epoch"), [(-9, 1), (14, 1), (16, 2), (39, 4), (99, 4)])
def test_the_nearest_epoch_to_an_x_is_found(x: float, epoch: int) -> None:
    assert nearest_epoch(history_of([1.0] * 4), "step", x) == epoch


def test_a_window_is_carried_over_to_another_axis() -> None:
    history = history_of([1.0] * 4)
    assert carried_over((1.0, 2.5), history, "epoch", "step") == (10, 25)
    assert carried_over((10.0, 25.0), history, "step", "epoch") == (1, 2.5)
    assert carried_over(None, history, "step", "epoch") is None


@given(
    steps=st.lists(st.integers(1, 9), min_size=2, max_size=12),
    window=st.tuples(st.floats(-3, 15), st.floats(-3, 15)).filter(lambda ends: ends[0] < ends[1]),
)
def test_a_window_is_where_a_line_through_all_epochs_has_it(
    steps: list[int], window: tuple[float, float]
) -> None:
    history = replace(history_of([1.0] * len(steps)), steps=np.cumsum(steps))
    epochs, ends = (
        np.append(each.start, each.ends).astype(np.float64)
        for each in (places_of(history, "epoch"), places_of(history, "step"))
    )
    expected = tuple(float(np.interp(x, epochs, ends)) for x in window)
    found = carried_over(window, history, "epoch", "step")
    assert found == (pytest.approx(expected) if expected[0] < expected[1] else None)


def test_epochs_of_a_foreign_journal_that_do_not_rise_have_places_all_the_same() -> None:
    history = history_of([1.0, 1.0])
    falling = replace(history, epochs=np.array([9, 8]))
    assert np.isfinite(place_of_epoch(falling, "epoch", 12))
