"""What one looks at: zooming, panning and following keep their promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from epochtop.tui.look import view as views
from epochtop.tui.look.view import LOSSES, SMOOTHINGS, X_AXES, View, visible

EXTENT = (0.0, 100.0)
NARROWEST = 2.0


def zoomed(view: View, factor: float, about: float | None = None) -> View:
    return views.zoomed(view, EXTENT, factor, about=about, narrowest=NARROWEST)


def test_the_whole_history_is_visible_at_first() -> None:
    assert visible(View(), EXTENT) == EXTENT


def test_a_window_that_the_run_does_not_reach_any_more_shows_all() -> None:
    assert visible(View(window=(120.0, 150.0)), EXTENT) == EXTENT


def test_zooming_keeps_a_point_in_its_place() -> None:
    view = zoomed(View(), 2, about=25)
    assert visible(view, EXTENT) == (12.5, 62.5)


def test_zooming_without_a_point_keeps_the_tail_and_follows_it() -> None:
    view = zoomed(View(), 2)
    assert view.window == (50.0, 100.0)
    assert view.follows
    low, high = visible(view, (0, 140))
    assert high - low == 50
    assert low < 140 <= high < 150


def test_zooming_out_beyond_the_history_shows_all_of_it() -> None:
    assert zoomed(View(window=(20, 80)), 0.5) == View()


def test_zooming_in_ends_at_the_narrowest_window() -> None:
    view = View()
    for _ in range(50):
        view = zoomed(view, 2, about=50)
    assert view.window == pytest.approx((49, 51))


def test_panning_moves_the_window_within_the_history() -> None:
    view = View(window=(40, 60))
    assert views.panned(view, EXTENT, 0.5).window == (50.0, 70.0)
    assert views.panned(view, EXTENT, -9).window == (0.0, 20.0)
    assert views.panned(view, EXTENT, 9).window == (80.0, 100.0)
    assert views.panned(view, EXTENT, 9).follows
    assert not views.panned(views.panned(view, EXTENT, 9), EXTENT, -0.5).follows


def test_the_whole_history_cannot_be_panned() -> None:
    assert views.panned(View(), EXTENT) == View()


def test_following_keeps_the_width_and_moves_in_steps() -> None:
    view = views.following(View(window=(10, 30)), EXTENT)
    assert view.window == (80.0, 100.0)
    assert len({visible(view, (0, high)) for high in range(101, 121)}) <= 9
    assert views.following(View(), EXTENT).window == (75.0, 100.0)
    assert views.whole(view) == View()


def test_smoothing_goes_up_and_down_and_stays_within_bounds() -> None:
    view = views.smoothed_by(View(), 1)
    assert view.smoothing == SMOOTHINGS[1]
    assert views.smoothed_by(view, -5).smoothing == 0
    assert views.smoothed_by(view, 50).smoothing == SMOOTHINGS[-1]


def test_what_is_toggled_comes_back() -> None:
    view = View()
    assert views.other_scale(views.other_scale(view)) == view
    assert views.other_clipping(views.other_clipping(view)) == view
    assert views.next_x_axis(views.next_x_axis(views.next_x_axis(view))) == view
    assert views.toggled(view, "penalty").shown == ("train_loss", "val_loss", "penalty")
    for name in LOSSES:
        assert views.toggled(views.toggled(view, name), name) == view


def test_the_right_hand_axis_takes_turns_with_all_but_the_losses() -> None:
    names = ["train_loss", "val_loss", "lr", "grad_norm", "f1"]
    view, seen = View(), []
    for _ in range(4):
        view = views.next_right(view, names)
        seen.append(view.right)
    assert seen == ["lr", "grad_norm", "f1", None]
    assert views.next_right(View(right="gone"), names).right == "lr"


ways = st.builds(
    View,
    scale=st.sampled_from(["linear", "log"]),
    x_axis=st.sampled_from(["epoch", "step", "time"]),
    smoothing=st.sampled_from(SMOOTHINGS),
    clips=st.booleans(),
    shown=st.sets(st.sampled_from(LOSSES)).map(
        lambda shown: tuple(name for name in LOSSES if name in shown)
    ),
    right=st.none() | st.just("lr"),
    window=st.none() | st.just((1.0, 2.0)),
    cursor=st.none() | st.integers(1, 9),
)


@given(ways)
def test_preferences_keep_all_but_window_and_cursor(view: View) -> None:
    kept = views.from_preferences(views.preferences(view))
    assert kept == replace(view, window=None, cursor=None)


strange: st.SearchStrategy[dict[str, object]] = st.dictionaries(
    st.sampled_from(list(views.preferences(View()))),
    st.sampled_from([None, "", "no", -1.5, 7, []]),
)


@given(strange)
def test_preferences_that_make_no_sense_are_as_usual(kept: dict[str, object]) -> None:
    view = views.from_preferences(kept | {"right": ""})
    assert view == replace(View(), shown=view.shown)
    assert view.shown == (() if kept.get("shown") == [] else View().shown)


def test_what_a_run_lacks_is_not_looked_at_in_it() -> None:
    view = View(shown=("val_loss", "penalty", "train_plus_penalty"), right="val_accuracy")
    losses = ("train_loss", "val_loss")

    known = (*losses, "penalty", "val_accuracy")
    assert views.of_what_is_measured(view, losses, X_AXES) == View(shown=("val_loss",))
    assert views.of_what_is_measured(view, known, X_AXES) == view
    assert views.of_what_is_measured(View(x_axis="step"), losses, ("epoch", "time")) == View()


def test_the_x_axes_are_those_that_a_run_has_measured() -> None:
    by_time = views.next_x_axis(View(), ("epoch", "time"))
    assert by_time.x_axis == "time"
    assert views.next_x_axis(by_time, ("epoch", "time")) == View()
    only_epochs: tuple[views.XAxis, ...] = ("epoch",)
    assert views.next_x_axis(by_time, only_epochs) == View()


@pytest.mark.parametrize(("shown", "seen"), [(("penalty",), View().shown), ((), ())])
def test_losses_are_shown_where_none_of_the_chosen_ones_is_left(
    shown: tuple[str, ...], seen: tuple[str, ...]
) -> None:
    view = views.of_what_is_measured(View(shown=shown), ("train_loss", "val_loss"), X_AXES)
    assert view.shown == seen
