"""How the screen decides what a terminal can show, and what reaches one that cannot show all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from epochtop.tui.terminal.line_filters import AsciiOnly, WithoutColours, to_ascii
from epochtop.tui.terminal.notification import notification
from epochtop.tui.terminal.terminal import Terminal, distrust_inherited_colours, look_at_terminal

BLACK = Color(0, 0, 0)


def looked_at(
    environment: dict[str, str], *, encoding: str | None = "utf-8", said: bool | None = None
) -> Terminal:
    environment = {"TERM": "xterm-256color"} | environment
    return look_at_terminal(environment, encoding, ascii_said=said, mouse=True)


@pytest.mark.parametrize(
    ("environment", "ascii_only"),
    [
        ({}, False),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LC_CTYPE": "UTF-8"}, False),  # as macOS says it
        ({"LANG": "de_DE.utf8@euro"}, False),
        ({"LC_ALL": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # the latter Python's own doing
        ({"LANG": "en_US.ISO-8859-1"}, True),
        ({"LANG": "en_US"}, True),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, True),
    ],
)
def test_the_locale_and_the_terminal_decide_about_ascii(
    environment: dict[str, str], ascii_only: bool
) -> None:
    assert looked_at(environment).ascii is ascii_only


def test_what_the_user_says_about_ascii_holds_whatever_the_locale() -> None:
    assert looked_at({"LANG": "C.UTF-8"}, said=True).ascii
    assert not looked_at({"LC_ALL": "C"}, said=False).ascii


def test_a_stream_that_takes_no_utf8_gets_ascii() -> None:
    assert looked_at({}, encoding="latin-1").ascii
    assert not looked_at({}, encoding=None).ascii


def test_only_a_no_color_that_says_something_takes_the_colours_away() -> None:
    assert looked_at({}).coloured
    assert looked_at({"NO_COLOR": ""}).coloured
    assert not looked_at({"NO_COLOR": "0"}).coloured


@pytest.mark.parametrize(
    ("environment", "trusted"),
    [
        ({"TERM": "screen.xterm-256color", "STY": "1.pts-0"}, False),
        ({"TERM": "screen", "STY": "1.pts-0", "TMUX": "/tmp/x"}, True),  # noqa: S108 - tmux's own
        ({"TERM": "xterm-256color", "STY": "1.pts-0"}, True),
        ({"TERM": "screen-256color"}, True),
    ],
)
def test_gnu_screen_is_not_sent_the_colours_of_the_terminal_around_it(
    environment: dict[str, str], trusted: bool
) -> None:
    environment["COLORTERM"] = "truecolor"
    distrust_inherited_colours(environment)
    assert ("COLORTERM" in environment) is trusted


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Mn", "Me", "Lm", "Sk"])))
def test_ascii_takes_as_many_cells_as_what_it_stands_for(text: str) -> None:
    plain = to_ascii(text)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text)


def test_what_has_a_likeness_in_ascii_looks_like_it() -> None:
    assert to_ascii("╭─┤│◆●▼█…⣿ ≤") == "+-+|**v#.# <"


def test_a_line_in_ascii_keeps_its_styles() -> None:
    red = Style(color="red")
    (segment,) = AsciiOnly().apply([Segment("│", red)], BLACK)
    assert segment == Segment("|", red)


def test_without_colours_a_style_keeps_all_else() -> None:
    style = Style(color="red", bgcolor="#112233", bold=True, reverse=True, dim=True)
    (segment,) = WithoutColours().apply([Segment("x", style)], BLACK)
    assert segment.style == Style(bold=True, reverse=True, dim=True)


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        ({"TERM": "xterm-256color"}, "\x1b]9;epochtop: done\x07"),
        ({"TERM": "foot"}, "\x1b]777;notify;epochtop;done\x07"),
        ({"TERM": "xterm", "VTE_VERSION": "7600"}, "\x1b]777;notify;epochtop;done\x07"),
        ({"TERM": "linux"}, ""),
        (
            {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"},  # noqa: S108 - tmux's own
            "\x1bPtmux;\x1b\x1b]9;epochtop: done\x07\x1b\\",
        ),
    ],
)
def test_a_terminal_is_notified_in_the_sequence_that_it_knows(
    environment: dict[str, str], sequence: str
) -> None:
    assert notification("done", environment) == sequence
