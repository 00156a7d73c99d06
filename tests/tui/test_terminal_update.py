"""What is sent to the terminal: the cells that changed, and no more than it takes."""

import io
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from epochtop.tui.terminal.terminal_update import ExactUpdate, change_of_style, codes_of

COLUMNS, ROWS = 40, 3
STYLES = [
    None,
    Style(color="red"),
    Style(color="#56b4e9", bgcolor="#101010"),
    Style(bgcolor="#101010", bold=True),
    Style(reverse=True),
    Style(color="green", underline=True),
    Style(color="green", bold=True, italic=True, strike=True),
]

segment = st.tuples(st.text(alphabet="ab 界", min_size=1, max_size=9), st.sampled_from(STYLES)).map(
    lambda pair: Segment(*pair)
)
line = st.lists(segment, min_size=1, max_size=8)
span = st.tuples(st.integers(0, COLUMNS - 1), st.integers(1, COLUMNS)).filter(lambda s: s[0] < s[1])


def console(color_system: Any = "truecolor") -> Console:
    return Console(file=io.StringIO(), force_terminal=True, color_system=color_system)


def strip(segments: list[Segment]) -> Strip:
    return Strip(segments).adjust_cell_length(COLUMNS)


def sent(update: ChopsUpdate, color_system: str = "truecolor") -> str:
    return update.render_segments(console(color_system))


def screen_after(*sequences: str) -> Any:
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    for sequence in sequences:
        stream.feed(sequence)
    return screen


def seen(screen: Any, y: int, x: int) -> tuple[Any, ...]:
    """A cell as a person sees it: a blank's own colour is nothing to see."""
    cell = screen.buffer[y][x]
    drawn = (cell.fg, cell.bold) if cell.data != " " or cell.reverse or cell.underscore else ()
    return cell.data, cell.bg, cell.reverse, cell.underscore, *drawn


@settings(max_examples=40)
@given(before=line, after=line, cells=span)
def test_a_span_makes_its_cells_new_and_leaves_the_others(
    before: list[Segment], after: list[Segment], cells: tuple[int, int]
) -> None:
    old, new = strip(before), strip(after)
    whole = ExactUpdate([{0: old}], [(0, 0, COLUMNS)], [[COLUMNS]])
    update = ExactUpdate([{0: new}], [(0, *cells)], [[COLUMNS]])
    expected = Strip.join([old.crop(0, cells[0]), new.crop(*cells), old.crop(cells[1])])
    wanted = screen_after(sent(ExactUpdate([{0: expected}], [(0, 0, COLUMNS)], [[COLUMNS]])))

    screen = screen_after(sent(whole), sent(update))

    # a wide character that was cut in two is mended with the next frame of its own line
    if "界" not in old.text:
        assert [seen(screen, 0, x) for x in range(COLUMNS)] == [
            seen(wanted, 0, x) for x in range(COLUMNS)
        ]


@settings(max_examples=40)
@given(segments=line)
def test_a_line_looks_as_textual_would_draw_it(segments: list[Segment]) -> None:
    arguments: tuple[Any, ...] = ([{0: strip(segments)}], [(0, 0, COLUMNS)], [[COLUMNS]])
    ours, theirs = (screen_after(sent(kind(*arguments))) for kind in (ExactUpdate, ChopsUpdate))
    for x in range(COLUMNS):
        assert seen(ours, 0, x) == seen(theirs, 0, x)


def test_widgets_beside_each_other_are_sent_in_one_piece() -> None:
    chops: list[dict[int, Strip | None]] = [
        {0: Strip([Segment("left ")]), 5: Strip([Segment("right")]), 10: None}
    ]
    update = ExactUpdate(chops, [(0, 3, 8)], [[5, 10, 40]])
    assert sent(update) == "\x1b[1;4Ht rig"


def test_spans_of_a_line_say_only_their_column() -> None:
    update = ExactUpdate([{0: strip([Segment("x" * 40)])}], [(0, 1, 2), (0, 30, 31)], [[40]])
    assert sent(update) == "\x1b[1;2Hx\x1b[31Gx"


@pytest.mark.parametrize(
    ("before", "after", "sequence"),
    [
        (Style(color="#010203"), Style(color="#010203"), ""),
        (
            Style(color="#010203", bgcolor="#111111"),
            Style(color="#040506", bgcolor="#111111"),
            "\x1b[38;2;4;5;6m",
        ),
        (Style(color="#010203"), Style(), "\x1b[0m"),
        (Style(bold=True), Style(), "\x1b[0m"),
        (Style(color="#010203"), Style(color="#010203", bold=True), "\x1b[1m"),
        (Style(color="#010203", bold=True), Style(color="#010203"), "\x1b[22m"),
        (Style(bold=True, dim=True), Style(bold=True, underline=True), "\x1b[22;1;4m"),
    ],
)
def test_a_style_says_what_differs(before: Style, after: Style, sequence: str) -> None:
    old, new = (codes_of(style, ColorSystem.TRUECOLOR) for style in (before, after))
    assert change_of_style(old, new) == sequence


def test_a_terminal_of_few_colours_gets_colours_that_it_has() -> None:
    update = ExactUpdate([{0: strip([Segment("x", Style(color="#ff0000"))])}], [(0, 0, 1)], [[40]])
    assert "38;5;" in sent(update, "256")
    assert "38;2;" not in sent(update, "standard")
