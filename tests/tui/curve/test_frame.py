"""A frame shows every extreme, or says that it does not, and has its marks where they belong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epochtop.tui.curve.columns import Columns
from epochtop.tui.curve.frame import Frame, Kept, build_frame
from epochtop.tui.curve.line import Line, column_edges
from epochtop.tui.curve.marks import Marks, Patience
from epochtop.tui.look.view import View, XAxis

from .columns import NAN, Epochs, Floats, history_of

SIZE = (60, 20)
X_AXES: tuple[XAxis, ...] = ("epoch", "step", "time")
NO_MARKS = Marks()


def frame_of(
    history: Columns, view: View | None = None, marks: Marks = NO_MARKS, kept: Kept | None = None
) -> Frame:
    frame = build_frame(history, marks, view or View(), SIZE, kept)
    assert frame is not None
    return frame


def line(frame: Frame, name: str) -> Line:
    (found,) = [each for each in (*frame.lines, *frame.right_lines) if each.name == name]
    return found


any_value = (
    st.just(NAN)
    | st.floats(width=32, allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, 1.0, -1.0, 1e30, 1e-30, -1e30])
)


@st.composite
def histories(draw: st.DrawFn) -> Epochs:
    """Short ones of anything, and long ones with spikes and gaps anywhere."""
    count = draw(st.integers(1, 40) | st.just(1500))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = [generator.normal(1, 0.2, count) for _ in range(3)]
    for column in columns:
        for place in draw(st.lists(st.integers(0, count - 1), max_size=20)):
            column[place] = draw(any_value)
    seconds = np.cumsum(generator.exponential(1, count))
    train, val, lr = columns
    return history_of(val, train, seconds=seconds.tolist(), lr=lr.tolist(), penalty=lr.tolist())


views = st.builds(
    View,
    scale=st.sampled_from(["linear", "log"]),
    x_axis=st.sampled_from(["epoch", "step", "time"]),
    smoothing=st.sampled_from([0.0, 0.0, 0.9]),
    clips=st.booleans(),
    shown=st.sampled_from(
        [("train_loss", "val_loss"), (), ("train_loss", "val_loss", "train_plus_penalty")]
    ),
    right=st.sampled_from([None, "lr", "gone"]),
    window=st.none()
    | st.tuples(st.floats(0, 500), st.floats(2, 600)).map(lambda at: (at[0], at[0] + at[1])),
    follows=st.booleans(),
    cursor=st.none() | st.integers(-5, 2000),
)


@given(history=histories(), view=views)
@settings(deadline=None, max_examples=150)
def test_every_extreme_is_in_the_frame_or_counted(history: Epochs, view: View) -> None:
    frame = frame_of(history, view)
    edges = column_edges(frame.x_axis, 2 * frame.cells_across)
    for name in {"train_loss", "val_loss"}.intersection(view.shown):
        shown = [each for each in frame.lines if each.name == name]
        raw = shown[0]  # a smoothed line lies before it
        check_line(raw, history, view, frame, edges)


def check_line(raw: Line, history: Epochs, view: View, frame: Frame, edges: Floats) -> None:
    axis, values = frame.y_axis, history.column(raw.name)
    ends = {"epoch": history.epochs, "step": history.steps, "time": history.seconds}[view.x_axis]
    xs = ends.astype(float)
    if raw.name == "train_loss":
        xs = (np.concatenate(([0.0], xs[:-1])) + xs) / 2
    visible = (xs >= edges[0]) & (xs < edges[-1])
    assert np.isfinite(raw.ys[~np.isnan(raw.ys)]).all()
    assert ((raw.ys >= axis.low) & (raw.ys <= axis.high) | np.isnan(raw.ys)).all()
    ys = values if axis.scale == "linear" else np.log10(np.where(values > 0, values, NAN))
    is_beyond = (ys > axis.high) | (ys < axis.low)
    assert raw.num_clipped == np.count_nonzero(is_beyond & visible)
    if not view.clips:
        assert raw.num_clipped == 0
    if axis.scale == "log":
        assert raw.num_unplottable == np.count_nonzero((values <= 0) & visible)
    columns, drawn_in = (np.searchsorted(edges, part, side="right") for part in (xs, raw.xs))
    for column in np.unique(columns[visible & np.isfinite(ys)]):
        here = np.clip(ys[(columns == column) & np.isfinite(ys)], axis.low, axis.high)
        there = raw.ys[(drawn_in == column) & np.isfinite(raw.ys)]
        assert (there.min(), there.max()) == (here.min(), here.max())


def test_there_is_no_frame_of_nothing() -> None:
    assert build_frame(history_of([]), NO_MARKS, View(), SIZE) is None


def test_the_train_loss_is_placed_half_an_epoch_early() -> None:
    history = history_of([3.0, 2.0, 1.0], seconds=[2.0, 6.0, 8.0])
    places = {
        axis: line(frame_of(history, View(x_axis=axis)), "train_loss").xs.tolist()
        for axis in X_AXES
    }
    assert places == {
        "epoch": [0.5, 1.5, 2.5],
        "step": [5.0, 15.0, 25.0],
        "time": [1.0, 4.0, 7.0],
    }
    assert line(frame_of(history), "val_loss").xs.tolist() == [1, 2, 3]


def test_epochs_that_took_no_time_have_a_frame_all_the_same() -> None:
    frame = frame_of(history_of([1.0, 0.5, 0.7], seconds=[0.0, 0.0, 0.0]), View(x_axis="time"))
    assert frame.x_axis.low < frame.x_axis.high
    assert np.isfinite(line(frame, "val_loss").xs).all()


def test_a_frame_of_a_long_run_is_small() -> None:
    frame = frame_of(history_of(np.random.default_rng(0).random(100_000)))
    for each in frame.lines:
        assert len(each.xs) <= 4 * 2 * frame.cells_across


def test_values_without_a_logarithm_are_counted_and_marked() -> None:
    frame = frame_of(history_of([0.0, -1.0, 0.5, 0.25], [1.0] * 4), View(scale="log"))
    val = line(frame, "val_loss")
    assert (frame.num_unplottable, val.unplottable.tolist()) == (2, [1, 2])
    assert val.ys[2:].tolist() == pytest.approx([math.log10(0.5), math.log10(0.25)])


def test_a_log_axis_of_nothing_positive_stays_empty() -> None:
    frame = frame_of(history_of([0.0, -1.0]), View(scale="log"))
    assert frame.num_unplottable == 4
    assert not any(np.isfinite(each.ys).any() for each in frame.lines)


LEVEL = [1 + 0.01 * (epoch % 7) for epoch in range(50)]


def test_a_value_that_would_flatten_the_rest_is_clipped_and_counted() -> None:
    history = history_of([*LEVEL, 1e30, *LEVEL])
    clipped, whole = frame_of(history), frame_of(history, View(clips=False))
    assert clipped.y_axis.high < 2
    assert clipped.num_clipped == 2
    assert line(clipped, "val_loss").above.tolist() == [51]
    assert whole.num_clipped == 0
    assert whole.y_axis.high >= 1e30


def test_smoothing_does_not_make_an_outlier_part_of_the_rest() -> None:
    frame = frame_of(history_of([*LEVEL, 1e6, *LEVEL]), View(smoothing=0.9))
    assert frame.y_axis.high < 2
    assert frame.num_clipped == 2


@pytest.mark.parametrize(
    "val",
    [
        [2 / epoch for epoch in range(1, 60)],
        [1.0] * 40 + [0.1] * 20,
        [5.0, 1.0],
        [3.0] * 10,
    ],
)
def test_an_ordinary_curve_is_not_clipped(val: list[float]) -> None:
    assert frame_of(history_of(val)).num_clipped == 0


def test_the_validation_losses_own_level_is_not_cut() -> None:
    frame = frame_of(history_of([50.0] * 100, [0.1 + 0.001 * (n % 5) for n in range(100)]))
    assert frame.num_clipped == 0


def test_the_best_is_never_clipped_away() -> None:
    val = [*LEVEL, -1e6, *LEVEL]
    frame = frame_of(history_of(val, [1.0] * 101), marks=Marks(best_epoch=51, best_loss=-1e6))
    assert frame.best == (51, -1e6)


def test_losses_that_are_no_numbers_are_marked_on_the_x_axis() -> None:
    frame = frame_of(history_of([1.0, NAN, 1.0, 1.0], [1.0, 1.0, NAN, 1.0]))
    assert (frame.num_bad, frame.bad.tolist()) == (2, [2, 3])
    assert np.isnan(line(frame, "val_loss").ys).tolist() == [False, True, False, False]


def test_marks_are_where_their_epochs_are() -> None:
    marks = Marks(
        best_epoch=4,
        best_loss=0.4,
        patience=Patience(4, 9),
        target=0.39,
        stopped_at=9,
        resumed_after=(2, 6),
    )
    history = history_of([1.0, 0.8, 0.6, 0.4, 0.5, 0.5, 0.6, 0.6, 0.6])
    for view, scale in ((View(), 1), (View(x_axis="step"), 10), (View(x_axis="time"), 2)):
        frame = frame_of(history, view, marks)
        assert frame.best == (4.0 * scale, 0.4)
        assert frame.target == 0.39
        assert frame.patience is not None
        assert (frame.patience.low, frame.patience.high) == (4 * scale, 9 * scale)
        assert frame.patience.label == ("9" if view.x_axis == "epoch" else "epoch 9")
        assert frame.stop is not None
        assert frame.stop.low == 9 * scale
        assert frame.resumed == (2 * scale, 6 * scale)


def test_an_axis_reaches_to_the_end_of_patience_if_that_is_near() -> None:
    history = history_of([1.0] * 50)
    near = frame_of(history, marks=Marks(patience=Patience(45, 56)))
    far = frame_of(history, marks=Marks(patience=Patience(45, 500)))
    assert near.patience is not None
    assert near.patience.high == 56
    assert near.x_axis.high >= 56
    assert far.patience is not None
    assert (far.patience.high, far.patience.label) == (far.x_axis.high, "")
    assert far.x_axis.high <= 60


def test_a_window_shows_its_part_and_the_lines_go_on_beyond_it() -> None:
    history = history_of([float(epoch) for epoch in range(100)])
    frame = frame_of(history, View(window=(20.0, 30.0)))
    assert (frame.x_axis.low, frame.x_axis.high) == (20, 30)
    assert (frame.y_axis.low, frame.y_axis.high) == (18, 30)
    xs = line(frame, "val_loss").xs
    assert (xs[0], xs[-1]) == (19, 31)


def test_the_right_hand_axis_is_a_series_own() -> None:
    frame = frame_of(history_of([1.0, 0.5], lr=[0.01, 0.02]), View(right="lr"))
    assert frame.right_axis is not None
    assert (frame.right_axis.low, frame.right_axis.high) == (0.01, 0.02)
    assert frame.y_axis.low >= 0.4
    assert line(frame, "lr").role == "right"


def test_a_smoothed_line_has_the_raw_one_behind_it() -> None:
    frame = frame_of(history_of([1.0, 3.0]), View(smoothing=0.5, shown=("val_loss",)))
    assert [each.role for each in frame.lines] == ["val_raw", "val"]
    assert frame.lines[0].ys.tolist() == [1, 3]
    assert frame.lines[1].ys.tolist() == pytest.approx([1, (0.5 + 3) / 1.5])


def test_axes_stay_while_a_run_grows() -> None:
    generator, kept = np.random.default_rng(0), Kept()
    losses = generator.uniform(0.2, 1.0, 400)
    axes = set()
    for count in range(100, 400, 3):
        frame = frame_of(history_of(losses[:count]), kept=kept)
        kept = Kept(kept.smoother, frame)
        axes.add((frame.x_axis, frame.y_axis))
    assert len(axes) <= 20
