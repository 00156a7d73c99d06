"""Colours and characters by what they stand for, for dark and light screens and for none.

The two main lines keep their hues in all palettes: blue is train, orange validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from .run_colours import RUN_LETTERS, RunRole, colours_on

Role = Literal[
    RunRole,
    "text",
    "axis",
    "train",
    "val",
    "train_eval",
    "penalty",
    "train_plus_penalty",
    "right",
    "train_raw",
    "val_raw",
    "train_eval_raw",
    "penalty_raw",
    "train_plus_penalty_raw",
    "right_raw",
    "best",
    "target",
    "patience",
    "stop",
    "resumed",
    "bad",
    "cursor",
    "note",
]
ROLES: tuple[Role, ...] = get_args(Role)

PaletteName = Literal["dark", "light", "high_contrast", "colour_blind", "plain"]

# Lines of dots in a cell of two by four.
BRAILLE = ""


class Glyphs(msgspec.Struct, frozen=True):
    """The characters of lines and marks; a line of BRAILLE is told by its colour alone."""

    lines: Mapping[Role, str]
    best: str = "◆"
    bad: str = "×"  # noqa: RUF001 - a mark that is as high as a small letter
    above: str = "▲"
    below: str = "▼"
    cursor: str = "│"
    target: str = "╌"
    stop: str = "┊"
    resumed: str = "↻"
    rule: str = "━"
    rule_end: str = "┫"
    sample: str = "──"
    is_ascii: bool = False


class Palette(msgspec.Struct, frozen=True):
    """The look of every role; a role without a colour, `#rrggbb`, has the terminal's own."""

    name: PaletteName
    colours: Mapping[Role, str]
    glyphs: Glyphs

    def colour(self, role: Role) -> str | None:
        """A role's colour; None for the terminal's own."""
        return self.colours.get(role)

    def sample(self, role: Role) -> str:
        """What a line of a role looks like, for the legend."""
        return self.glyphs.lines.get(role, BRAILLE) or self.glyphs.sample


# Where lines have no colour, or dots cannot be drawn, each has a character of its own.
_LETTERS: dict[Role, str] = {
    "train": ".",
    "val": "x",
    "train_eval": "o",
    "penalty": "p",
    "train_plus_penalty": "+",
    "right": "*",
    "train_raw": "`",
    "val_raw": "'",
    "train_eval_raw": ",",
    "penalty_raw": ";",
    "train_plus_penalty_raw": ":",
    "right_raw": '"',
}
_LETTERS.update(RUN_LETTERS.items())

DOTS = Glyphs({})
LETTERS = Glyphs(_LETTERS, best="O", bad="!")
ASCII = Glyphs(
    _LETTERS,
    best="O",
    bad="!",
    above="^",
    below="v",
    cursor="|",
    target="-",
    stop=":",
    resumed="R",
    rule="=",
    rule_end="]",
    sample="--",
    is_ascii=True,
)

_DARK: dict[Role, str] = {
    "axis": "#9a9a9a",
    "train": "#56b4e9",
    "val": "#e69f00",
    "train_eval": "#009e73",
    "penalty": "#cc79a7",
    "train_plus_penalty": "#8f8ff5",
    "right": "#b5bd68",
    "train_raw": "#2b566e",
    "val_raw": "#6b4c0a",
    "train_eval_raw": "#0a4d3a",
    "penalty_raw": "#63405a",
    "train_plus_penalty_raw": "#474779",
    "right_raw": "#5a5e36",
    "best": "#ffffff",
    "target": "#7f7f7f",
    "patience": "#c8a2ff",
    "stop": "#ff8787",
    "resumed": "#8abeb7",
    "bad": "#ff5f5f",
    "cursor": "#bcbcbc",
    "note": "#a8a8a8",
}
_DARK.update(colours_on("dark").items())
_LIGHT: dict[Role, str] = {
    "axis": "#5f5f5f",
    "train": "#0068a8",
    "val": "#b35c00",
    "train_eval": "#00694c",
    "penalty": "#a03a77",
    "train_plus_penalty": "#4b4bc8",
    "right": "#6b7300",
    "train_raw": "#a3c9df",
    "val_raw": "#e3c49f",
    "train_eval_raw": "#a0cbbd",
    "penalty_raw": "#ddb4cc",
    "train_plus_penalty_raw": "#bcbcea",
    "right_raw": "#cdd09c",
    "best": "#000000",
    "target": "#8a8a8a",
    "patience": "#7a3fc0",
    "stop": "#c00000",
    "resumed": "#00767a",
    "bad": "#c00000",
    "cursor": "#4a4a4a",
    "note": "#5f5f5f",
}
_LIGHT.update(colours_on("light").items())
_HIGH_CONTRAST: dict[Role, str] = _DARK | {
    "axis": "#ffffff",
    "train": "#00d7ff",
    "val": "#ffd700",
    "train_eval": "#00ff87",
    "penalty": "#ff87ff",
    "train_plus_penalty": "#b0b0ff",
    "right": "#ffffff",
    "target": "#d0d0d0",
    "patience": "#ffafff",
    "stop": "#ff5f5f",
    "bad": "#ff5f5f",
    "cursor": "#ffffff",
    "note": "#ffffff",
}
# Of Okabe and Ito's colours those that differ in lightness as well.
_COLOUR_BLIND: dict[Role, str] = _DARK | {
    "train": "#56b4e9",
    "val": "#f0e442",
    "train_eval": "#009e73",
    "penalty": "#cc79a7",
    "train_plus_penalty": "#ffffff",
    "right": "#d55e00",
    "val_raw": "#6f6a24",
    "train_plus_penalty_raw": "#6a6a6a",
    "right_raw": "#6a3510",
    "stop": "#d55e00",
    "bad": "#d55e00",
    "patience": "#cc79a7",
}

_COLOURS: dict[PaletteName, dict[Role, str]] = {
    "dark": _DARK,
    "light": _LIGHT,
    "high_contrast": _HIGH_CONTRAST,
    "colour_blind": _COLOUR_BLIND,
    "plain": {},
}


def palette_named(name: PaletteName, *, is_ascii: bool = False) -> Palette:
    """A palette in dots where its colours tell the lines apart, else in letters."""
    if is_ascii:
        return Palette(name, _COLOURS[name], ASCII)
    return Palette(name, _COLOURS[name], LETTERS if name == "plain" else DOTS)


DARK = palette_named("dark")
PLAIN = palette_named("plain")
