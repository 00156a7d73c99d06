"""The picture: what is drawn in which cell, in colours, in letters and in ASCII."""

import math
import re
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from epochtop.tui.curve.frame import Frame, build_frame
from epochtop.tui.curve.marks import Marks, Patience
from epochtop.tui.curve.plot import MIN_HEIGHT, MIN_WIDTH, draw, legend
from epochtop.tui.look.palette import DARK, PLAIN, Palette, palette_named
from epochtop.tui.look.view import View

from .curve.columns import Epochs, history_of

NAN = math.nan
ASCII = palette_named("plain", is_ascii=True)
SIZES = [(MIN_WIDTH, MIN_HEIGHT), (MIN_WIDTH, 40), (80, 24), (200, 60)]
Losses = tuple[Sequence[float], Sequence[float]]
RUNS: dict[str, Losses] = {
    "falling": ([1 / epoch for epoch in range(1, 51)], [2 / epoch for epoch in range(1, 51)]),
    "one epoch": ([0.5], [0.75]),
    "two epochs": ([0.5, 0.25], [0.75, 0.8]),
    "one epoch, nan": ([NAN], [NAN]),
    "all nan": ([NAN] * 20, [NAN] * 20),
    "val all nan": ([0.5] * 20, [NAN] * 20),
    "gaps": ([0.5, NAN, 0.3, NAN, NAN, 0.2], [NAN, 0.5, NAN, 0.4, NAN, NAN]),
    "constant": ([0.5] * 30, [0.5] * 30),
    "zeros": ([0.0] * 30, [0.0] * 30),
    "huge": ([1e30, 1e29, 1e28], [1e30, 1e30, 1e30]),
    "tiny": ([1e-30, 1e-31, 0.0], [1e-30, 1e-30, 1e-30]),
    "huge and tiny": ([1e30, 1e-30], [-1e30, 0.0]),
    "largest": ([1.7e308, -1.7e308, 5e-324], [1.0, 1.7e308, 0.0]),
    "negative": ([-1.0, -2.0, -3.0], [-1.0, -1.5, -1.25]),
    "spike": ([1.0] * 5000, [1.0] * 2500 + [1e6] + [1.0] * 2499),
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")
EVERYTHING = Marks(
    best_epoch=1,
    best_loss=0.5,
    patience=Patience(1, 3),
    target=0.5,
    stopped_at=2,
    resumed_after=(1,),
)
VIEWS = {
    "linear": View(),
    "log": View(scale="log"),
    "time": View(x_axis="time", smoothing=0.9),
    "right": View(right="lr", clips=False, cursor=1),
    "window": View(window=(0.5, 1.75), x_axis="step"),
}

each_run = pytest.mark.parametrize("losses", RUNS.values(), ids=RUNS.keys())
each_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())


def history(train: Sequence[float], val: Sequence[float]) -> Epochs:
    return history_of(val, train, lr=[0.01 * 0.9**epoch for epoch in range(len(val))])


def frame_of(
    losses: Losses,
    *,
    view: View | None = None,
    size: tuple[int, int] = (60, 15),
    marks: Marks | None = None,
) -> Frame:
    frame = build_frame(history(*losses), marks or Marks(), view or View(), size)
    assert frame is not None
    return frame


def cells(frame: Frame, palette: Palette = PLAIN) -> list[str]:
    """The lines of a picture without its colours."""
    return ANSI.sub("", draw(frame, palette).text(palette)).split("\n")


def canvas(frame: Frame, palette: Palette = PLAIN) -> list[str]:
    """What stands between the axes."""
    left, right = frame.left_of_canvas, frame.left_of_canvas + frame.cells_across
    return [row[left:right] for row in cells(frame, palette)[1:-2]]


@each_view
@each_run
def test_a_picture_has_the_size_that_was_asked_for(losses: Losses, view: View) -> None:
    for size, palette in product(SIZES, (PLAIN, DARK, ASCII)):
        lines = cells(frame_of(losses, view=view, size=size, marks=EVERYTHING), palette)
        assert len(lines) == size[1]
        assert {len(line) for line in lines} == {size[0]}
        text = "\n".join(lines).lower()
        assert "inf" not in text
        assert "nan" not in text


@each_view
@each_run
def test_a_picture_in_ascii_has_nothing_else(losses: Losses, view: View) -> None:
    frame = frame_of(losses, view=view, marks=EVERYTHING)
    assert all(line.isascii() for line in cells(frame, ASCII))
    assert legend(ASCII).isascii()


@each_run
def test_a_plain_picture_has_no_escape_characters(losses: Losses) -> None:
    assert draw(frame_of(losses), PLAIN).text(PLAIN).replace("\n", "").isprintable()


def test_the_lines_have_colours_of_their_own() -> None:
    text = draw(frame_of(RUNS["falling"]), DARK).text(DARK)
    assert "\x1b[38;2;86;180;233m" in text
    assert "\x1b[38;2;230;159;0m" in text
    assert "\x1b[4" not in text  # no background


def test_without_colours_the_lines_have_characters_of_their_own() -> None:
    marks = Marks(best_epoch=25, best_loss=2 / 25)
    text = "".join(canvas(frame_of(RUNS["falling"], marks=marks)))
    assert {".", "x", "O"} <= set(text)


def test_a_lone_point_between_gaps_is_drawn() -> None:
    assert "".join(canvas(frame_of(([NAN, 0.5, NAN], [NAN] * 3)))).count(".") == 1


def test_a_gap_is_not_bridged() -> None:
    level, gap = [0.5] * 10, [0.5] * 2 + [NAN] * 6 + [0.5] * 2
    whole, broken = (
        "".join(canvas(frame_of((losses, [NAN] * 9 + [1.0])))) for losses in (level, gap)
    )
    assert broken.count(".") < whole.count(".") / 2


def test_losses_that_were_never_finite_leave_the_plot_empty_and_the_axis_marked() -> None:
    frame = frame_of(RUNS["all nan"])
    assert "".join(canvas(frame)).strip() == ""
    assert cells(frame)[-2].count("!") == 20


def test_a_spike_among_thousands_of_epochs_reaches_the_top() -> None:
    assert "x" in canvas(frame_of(RUNS["spike"], view=View(clips=False)))[0]


def test_a_clipped_spike_is_an_arrow_at_the_top() -> None:
    frame = frame_of(RUNS["spike"])
    assert "▲" in canvas(frame, DARK)[0]
    assert "^" in canvas(frame, ASCII)[0]


def test_values_without_a_logarithm_are_arrows_at_the_bottom() -> None:
    frame = frame_of(([1.0] * 4, [0.5, -1.0, 0.5, 0.5]), view=View(scale="log"))
    assert "v" in canvas(frame, ASCII)[-1]


@pytest.mark.parametrize("size", SIZES)
def test_the_ends_of_the_y_axis_and_the_first_of_the_x_axis_are_labelled(
    size: tuple[int, int],
) -> None:
    frame = frame_of(RUNS["falling"], size=size)
    lines = cells(frame)
    assert frame.y_axis.labels[-1] in lines[1]
    assert frame.y_axis.labels[0] in lines[-3]
    assert lines[-1].split()[0] == "0"


def test_of_two_ticks_in_one_row_the_upper_one_is_labelled() -> None:
    # plotext writes either, as the order of a set says: another one in each process
    frame = frame_of(([0.2, 2.0], [0.3, 1.9]), size=(40, MIN_HEIGHT))
    assert frame.y_axis.labels == ("0", "1", "2")
    three = replace(frame.y_axis, high=3.0, ticks=(0, 1, 2, 3), labels=("0", "1", "2", "3"))
    rows = cells(replace(frame, y_axis=three))
    assert [row[0] for row in rows[1:4]] == ["3", "2", "0"]


def test_log_ticks_are_at_powers_and_between() -> None:
    frame = frame_of(([1.0, 0.1, 0.01], [1.0, 0.1, 0.01]), view=View(scale="log"), size=(60, 15))
    labels = [line.split("┤")[0].strip() for line in cells(frame) if "┤" in line]
    assert labels == ["1", "0.3", "0.1", "0.03", "0.01"]


@pytest.mark.parametrize(("width", "height"), [(40, 9), (60, 16), (100, 31)])
@pytest.mark.parametrize("loss", [0.0, 0.2, 0.6, 1.0])
def test_a_loss_on_a_tick_is_drawn_beside_the_ticks_label(
    width: int, height: int, loss: float
) -> None:
    # plotext alone draws a loss of 0 in the lower dots of its cell, and beyond it at some heights
    losses = [0.0, 1.0, 1.0], [loss] * 3
    whole = frame_of(losses, size=(width, height))
    val = tuple(line for line in whole.lines if line.name == "val_loss")
    rows = cells(replace(whole, lines=val), DARK)
    axis = whole.y_axis
    tick = min(range(len(axis.ticks)), key=lambda index: abs(axis.ticks[index] - loss))
    if not math.isclose(axis.ticks[tick], loss, abs_tol=1e-9):
        return  # at this height the loss has no tick of its own

    (drawn_in,) = {row for row, line in enumerate(rows) if re.search("[\u2801-\u28ff]", line)}
    assert rows[drawn_in].lstrip().startswith(axis.labels[tick])


@settings(deadline=None, max_examples=60)
@given(
    losses=st.lists(st.floats(0, 3, width=32), min_size=2, max_size=30),
    height=st.integers(MIN_HEIGHT + 3, 30),
    best=st.integers(1, 30),
)
@example(losses=[0.75, 0.5], height=16, best=2)  # half-way between two dots
def test_the_mark_of_the_best_lies_on_its_line(losses: list[float], height: int, best: int) -> None:
    best = min(best, len(losses))
    marks = Marks(best_epoch=best, best_loss=losses[best - 1])
    view = View(shown=("val_loss",), clips=False)
    frame = frame_of((losses, losses), view=view, size=(60, height), marks=marks)

    marked, unmarked = canvas(frame, DARK), canvas(replace(frame, best=None), DARK)

    ((row, column),) = [(y, line.index("◆")) for y, line in enumerate(marked) if "◆" in line]
    assert "\u2801" <= unmarked[row][column] <= "\u28ff"


def test_patience_is_a_rule_on_the_x_axis_with_the_epoch_at_its_end() -> None:
    marks = Marks(patience=Patience(20, 37))
    frame = frame_of(RUNS["falling"], marks=marks)
    *_, border, labels = cells(frame, DARK)
    assert re.search("━{10,}┫", border)
    end = border.index("┫")
    assert labels[end - 1 : end + 1] == "37"
    assert re.search("={10,}]", cells(frame, ASCII)[-2])


def test_the_target_is_a_line_that_hides_no_other() -> None:
    losses = RUNS["falling"]
    without, marked = frame_of(losses), frame_of(losses, marks=Marks(target=0.5))
    (row,) = {y for y, line in enumerate(canvas(marked, DARK)) if "╌" in line}
    for before, after in zip(canvas(without, DARK)[row], canvas(marked, DARK)[row], strict=True):
        assert after == (before if before != " " else "╌")
    tick = marked.y_axis.ticks.index(0.5)
    assert cells(marked, DARK)[row + 1].lstrip().startswith(marked.y_axis.labels[tick])


def test_an_early_stop_is_a_labelled_line_at_its_epoch() -> None:
    frame = frame_of(RUNS["falling"], marks=Marks(stopped_at=50))
    rows = canvas(frame, DARK)
    assert "stopped at 50" in rows[0]
    assert {row.index("┊") for row in rows if "┊" in row} == {frame.cells_across - 1}


def test_a_resumption_is_a_sign_on_the_x_axis() -> None:
    frame = frame_of(RUNS["falling"], marks=Marks(resumed_after=(25,)))
    border = cells(frame, DARK)[-2]
    assert border.index("↻") - frame.left_of_canvas == pytest.approx(frame.cells_across / 2, abs=1)


def test_the_cursor_is_a_line_at_its_epoch() -> None:
    frame = frame_of(RUNS["falling"], view=View(cursor=25))
    columns = {row.index("│") for row in canvas(frame, DARK) if "│" in row}
    assert columns == {round(frame.cells_across / 2)} or columns == {frame.cells_across // 2}


def test_the_right_hand_axis_has_ticks_and_a_line() -> None:
    frame = frame_of(RUNS["falling"], view=View(right="lr"))
    assert frame.right_axis is not None
    rows = cells(frame)
    assert rows[1].rstrip().endswith(frame.right_axis.labels[-1])
    assert "*" in "".join(canvas(frame))


def test_drawing_twice_gives_the_same_picture() -> None:
    frames = [frame_of(losses) for losses in RUNS.values()]
    first = [cells(frame, DARK) for frame in frames]
    assert [cells(frame, DARK) for frame in reversed(frames)] == first[::-1]


def test_every_palette_colours_every_line_and_mark_or_none() -> None:
    for name in ("dark", "light", "high_contrast", "colour_blind"):
        colours = palette_named(name).colours
        assert len({colours[role] for role in ("train", "val", "train_eval", "penalty")}) == 4
        assert colours.keys() == DARK.colours.keys()
    letters = list(PLAIN.glyphs.lines.values())
    assert len(set(letters)) == len(letters)
    assert not PLAIN.colours


def test_a_plain_legend_shows_the_characters_of_the_lines() -> None:
    assert legend(PLAIN) == ". train loss   x validation loss   O best"


def test_a_coloured_legend_has_the_colours_of_the_lines() -> None:
    assert "\x1b[38;2;86;180;233m──\x1b[0m train loss" in legend(DARK)


def test_a_line_that_comes_from_far_outside_is_cut_at_the_edge() -> None:
    seconds = [1.0, 1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3]
    epochs = history_of([1.0] * 5, seconds=seconds)
    view = View(x_axis="time", window=(1e9, 1e9 + 3))
    frame = build_frame(epochs, Marks(), view, (60, 15))
    assert frame is not None
    (row,) = [row for row in canvas(frame) if row.strip()]
    assert row == "x" * frame.cells_across
    assert np.isfinite(frame.lines[0].xs).all()
