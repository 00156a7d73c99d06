"""Sends the terminal the cells that are to be drawn, and no others.

Textual knows which spans of a line have changed, but sends each from the edge of its widget on, and
says all of a style for each piece of text. On a screen whose digits change that is most of what
goes over the line. Here a span is cut on both sides, and a style says what differs from the one
before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip

T = TypeVar("T")

# Attributes, foreground and background, as the numbers of a terminal.
Codes = tuple[str, str, str]
_PLAIN: Codes = ("", "39", "49")
# Attributes that a blank does not show: none, bold, dim, italic.
_UNSEEN_ON_BLANKS = ("", "1", "2", "3")
_OFF = {
    "1": "22",
    "2": "22",
    "3": "23",
    "4": "24",
    "5": "25",
    "6": "25",
    "7": "27",
    "8": "28",
    "9": "29",
    "21": "24",
    "51": "54",
    "52": "54",
    "53": "55",
}
_COLOR_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}


class ExactUpdates(App[T]):
    """An app whose partial updates hold the cells that have changed and no others."""

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Narrow what Textual is about to send; nothing else is left out of its doing."""
        if type(renderable) is ChopsUpdate:
            renderable = ExactUpdate(renderable.chops, renderable.spans, renderable.chop_ends)
        super()._display(screen, renderable)


class ExactUpdate(ChopsUpdate):
    """Spans of some lines, each cut where it begins and where it ends."""

    def render_segments(self, console: Console) -> str:
        """What the terminal gets."""
        color_system = _COLOR_SYSTEMS.get(console.color_system or "truecolor")
        sequences: list[str] = []
        codes: Codes | None = None
        row = -1
        for x, y, strip in self.pieces():
            sequences.append(f"\x1b[{x + 1}G" if y == row else f"\x1b[{y + 1};{x + 1}H")
            row = y
            for segment in strip:
                text, codes = _rendered(segment, codes, color_system)
                sequences.append(text)
        if codes is not None and codes != _PLAIN:
            sequences.append("\x1b[0m")
        return "".join(sequences)

    def pieces(self) -> Iterator[tuple[int, int, Strip]]:
        """Column, line and cells of all that is to be drawn."""
        for y, start, end in self.spans:
            joined: list[Strip] = []
            at = start
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= end or chop_end <= start:
                    continue
                low, high = max(x, start), min(chop_end, end)
                if not joined:
                    at = low
                joined.append(strip.crop(low - x, high - x))
            if joined:
                yield at, y, Strip.join(joined)


def _rendered(
    segment: Segment, before: Codes | None, color_system: ColorSystem | None
) -> tuple[str, Codes | None]:
    """A piece of text after one with other codes, and the codes after it."""
    text, style, _ = segment
    if style is not None and style.link:
        reset = "" if before in (None, _PLAIN) else "\x1b[0m"
        return reset + style.render(text, color_system=color_system), _PLAIN
    codes = _PLAIN if style is None else codes_of(style, color_system)
    if before is not None and codes[0] == before[0] in _UNSEEN_ON_BLANKS and text.isspace():
        codes = (codes[0], before[1], codes[2])  # nobody sees a blank's foreground
    return change_of_style(before or _PLAIN, codes) + text, codes


@lru_cache(maxsize=4096)
def codes_of(style: Style, color_system: ColorSystem | None) -> Codes:
    """A style as a terminal's numbers."""
    if color_system is None:
        return _PLAIN
    attributes = style.without_color.render("x", color_system=color_system)
    fore, back = style.color, style.bgcolor
    return (
        attributes.partition("m")[0].removeprefix("\x1b[") if attributes != "x" else "",
        ";".join(fore.downgrade(color_system).get_ansi_codes()) if fore else "39",
        ";".join(back.downgrade(color_system).get_ansi_codes(False)) if back else "49",
    )


def change_of_style(before: Codes, after: Codes) -> str:
    """The shortest sequence from one style to another one; empty between equal ones."""
    if before == after:
        return ""
    if after == _PLAIN:
        return "\x1b[0m"
    colours = [new for old, new in zip(before[1:], after[1:], strict=True) if old != new]
    numbers = [*_change_of_attributes(before[0], after[0]), *colours]
    return f"\x1b[{';'.join(numbers)}m"


def _change_of_attributes(before: str, after: str) -> list[str]:
    """Bold, dim and the like switched off and on."""
    old, new = before.split(";") if before else [], after.split(";") if after else []
    off = list(dict.fromkeys(_OFF[number] for number in old if number not in new))
    # bold and dim have one number for off, which takes the other one away, too
    lost = [number for number in old if _OFF[number] in off]
    return [*off, *(number for number in new if number not in old or number in lost)]
