import math
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from epochtop.tui.curve import Frame, build_frame
from epochtop.tui.plot import COLOURED, MIN_HEIGHT, MIN_WIDTH, PLAIN, Style, draw, legend
from epochtop.tui.state import RunState, reduce
from tests.records import epoch_record

NAN = math.nan
SIZES = [
    (MIN_WIDTH, MIN_HEIGHT),
    (MIN_WIDTH, 40),
    (80, 24),
    (200, 60),
]
RUNS: dict[str, tuple[Sequence[float], Sequence[float]]] = {
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
    "negative": ([-1.0, -2.0, -3.0], [-1.0, -1.5, -1.25]),
    "spike": ([1.0] * 5000, [1.0] * 2500 + [1e6] + [1.0] * 2499),
    "long": ([1 / epoch for epoch in range(1, 10_001)], [0.5] * 10_000),
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")

each_style = pytest.mark.parametrize("style", [PLAIN, COLOURED], ids=["plain", "coloured"])
each_run = pytest.mark.parametrize("losses", RUNS.values(), ids=RUNS.keys())
each_size = pytest.mark.parametrize(("width", "height"), SIZES)


def frame_of(
    train: Sequence[float],
    val: Sequence[float],
    *,
    width: int = 60,
    height: int = 15,
    best_epoch: int | None = 1,
) -> Frame:
    records = [
        epoch_record(epoch, train_loss=train_loss, val_loss=val_loss)
        for epoch, (train_loss, val_loss) in enumerate(zip(train, val, strict=True), 1)
    ]
    history = reduce(RunState(), records).history
    frame = build_frame(history, best_epoch=best_epoch, width=width, height=height)
    assert frame is not None
    return frame


def cells(picture: str) -> list[str]:
    """The lines of a picture without its colours."""
    return ANSI.sub("", picture).split("\n")


def drawn(picture: str) -> str:
    """What stands inside the frame of the plot."""
    rows = (re.fullmatch(r"[^│┤]*[│┤](.*)│", line) for line in cells(picture))
    return "\n".join(row[1] for row in rows if row)


def check_size(picture: str, width: int, height: int) -> None:
    lines = cells(picture)
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


@each_style
@each_size
@each_run
def test_a_picture_has_the_size_that_was_asked_for(
    losses: tuple[Sequence[float], Sequence[float]], width: int, height: int, style: Style
) -> None:
    check_size(draw(frame_of(*losses, width=width, height=height), style), width, height)


@each_style
@given(
    losses=st.lists(
        st.tuples(*[st.just(NAN) | st.floats(width=32, allow_infinity=False)] * 2),
        min_size=1,
        max_size=30,
    ),
    width=st.integers(MIN_WIDTH, 120),
    height=st.integers(MIN_HEIGHT, 40),
)
@settings(deadline=None, max_examples=30)
def test_a_picture_of_any_losses_has_the_size_that_was_asked_for(
    losses: list[tuple[float, float]], width: int, height: int, style: Style
) -> None:
    train, val = zip(*losses, strict=True)
    check_size(draw(frame_of(train, val, width=width, height=height), style), width, height)


@each_run
def test_a_plain_picture_has_no_escape_characters(
    losses: tuple[Sequence[float], Sequence[float]],
) -> None:
    assert draw(frame_of(*losses), PLAIN).replace("\n", "").isprintable()


@each_style
@each_run
def test_a_picture_names_no_number_that_is_none(
    losses: tuple[Sequence[float], Sequence[float]], style: Style
) -> None:
    picture = draw(frame_of(*losses), style).lower()
    assert "inf" not in picture
    assert "nan" not in picture


@each_style
def test_drawing_twice_gives_the_same_picture(style: Style) -> None:
    first = {name: draw(frame_of(*losses), style) for name, losses in RUNS.items()}
    again = {name: draw(frame_of(*RUNS[name]), style) for name in reversed(RUNS)}
    assert again == first


def test_the_lines_have_colours_of_their_own_and_the_rest_has_none() -> None:
    picture = draw(frame_of(*RUNS["falling"]), COLOURED)
    for colour in (COLOURED.train_colour, COLOURED.val_colour, COLOURED.best_colour):
        assert colour is not None
        assert "38;2;{};{};{}m".format(*colour) in picture.replace("\x1b[", "")
    assert "\x1b[4" not in picture  # no background


def test_without_colours_the_lines_have_characters_of_their_own() -> None:
    picture = drawn(draw(frame_of(*RUNS["falling"], best_epoch=25), PLAIN))
    assert all(
        marker in picture for marker in (PLAIN.train_marker, PLAIN.val_marker, PLAIN.best_marker)
    )


def test_a_lone_point_between_gaps_is_drawn() -> None:
    picture = drawn(draw(frame_of([NAN, 0.5, NAN], [NAN] * 3, best_epoch=None), PLAIN))
    assert picture.count(PLAIN.train_marker) == 1


def test_a_gap_is_not_bridged() -> None:
    level = [0.5] * 10
    gap = [0.5] * 2 + [NAN] * 6 + [0.5] * 2
    whole = drawn(draw(frame_of(level, [NAN] * 9 + [1.0], best_epoch=None), PLAIN))
    broken = drawn(draw(frame_of(gap, [NAN] * 9 + [1.0], best_epoch=None), PLAIN))
    assert broken.count(PLAIN.train_marker) < whole.count(PLAIN.train_marker) / 2


def test_losses_that_were_never_finite_leave_the_plot_empty() -> None:
    picture = draw(frame_of(*RUNS["all nan"], best_epoch=None), PLAIN)
    assert drawn(picture).strip() == ""


def test_a_spike_among_thousands_of_epochs_reaches_the_top() -> None:
    lines = drawn(draw(frame_of(*RUNS["spike"], best_epoch=None), PLAIN)).split("\n")
    assert PLAIN.val_marker in lines[0]


@each_size
def test_the_ends_of_both_axes_are_labelled(width: int, height: int) -> None:
    frame = frame_of(*RUNS["falling"], width=width, height=height)
    lines = cells(draw(frame, PLAIN))
    assert frame.y_axis.labels[-1] in lines[1]
    assert frame.y_axis.labels[0] in lines[-3]
    assert lines[-1].split()[0] == "1"


@pytest.mark.parametrize("size", [(MIN_WIDTH, MIN_HEIGHT), (60, 15)])
def test_the_first_and_the_last_measured_losses_are_in_the_picture(size: tuple[int, int]) -> None:
    frame = frame_of([1.0, 0.0], [NAN, NAN], width=size[0], height=size[1], best_epoch=None)
    lines = drawn(draw(frame, PLAIN)).split("\n")
    assert lines[0].startswith(PLAIN.train_marker)
    assert lines[-1].rstrip().endswith(PLAIN.train_marker)


# The legend.


@each_style
def test_the_legend_names_the_lines_and_the_best(style: Style) -> None:
    text = ANSI.sub("", legend(style))
    assert "train loss" in text
    assert "validation loss" in text
    assert "best" in text
    assert style.best_marker in text
    assert "\n" not in text


def test_a_plain_legend_shows_the_characters_of_the_lines() -> None:
    assert legend(PLAIN) == ". train loss   x validation loss   O best"


def test_a_coloured_legend_has_the_colours_of_the_lines() -> None:
    for colour in (COLOURED.train_colour, COLOURED.val_colour, COLOURED.best_colour):
        assert colour is not None
        assert "38;2;{};{};{}m".format(*colour) in legend(COLOURED)


@pytest.mark.parametrize(("width", "height"), [(40, 9), (60, 16), (100, 31)])
@pytest.mark.parametrize("loss", [0.0, 0.2, 0.6, 1.0])
def test_a_loss_on_a_tick_is_drawn_beside_the_ticks_label(
    width: int, height: int, loss: float
) -> None:
    # plotext alone draws a loss of 0 in the lower dots of its cell, and beyond it at some heights
    frame = frame_of([0.0, 1.0, 1.0], [loss] * 3, width=width, height=height)
    rows = cells(draw(frame, Style(train_marker=" ")))
    tick = min(range(len(frame.y_axis.ticks)), key=lambda i: abs(frame.y_axis.ticks[i] - loss))
    if not math.isclose(frame.y_axis.ticks[tick], loss, abs_tol=1e-9):
        return  # at this height the loss has no tick of its own

    (drawn_in,) = {row for row, line in enumerate(rows) if re.search("[\u2801-\u28ff]", line)}
    assert rows[drawn_in].lstrip().startswith(frame.y_axis.labels[tick])


@settings(deadline=None, max_examples=60)
@given(
    losses=st.lists(st.floats(0, 3, width=32), min_size=2, max_size=30),
    height=st.integers(MIN_HEIGHT + 3, 30),
    best=st.integers(1, 30),
)
@example(losses=[0.75, 0.5], height=16, best=2)  # half-way between two dots
def test_the_mark_lies_on_the_line(losses: list[float], height: int, best: int) -> None:
    best = min(best, len(losses))
    frame = frame_of([0.0] * len(losses), losses, width=60, height=height, best_epoch=best)
    without = replace(frame, best=None)

    marked = cells(draw(frame, Style(train_marker=" ")))
    unmarked = cells(draw(without, Style(train_marker=" ")))

    ((row, column),) = [(y, line.index("◆")) for y, line in enumerate(marked) if "◆" in line]
    assert "\u2801" <= unmarked[row][column] <= "\u28ff"
