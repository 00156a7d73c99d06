"""The screen's themes: what each colour stands for, in Textual's names and in the terminal's.

A pane says "green" or "red" in the terminal's sixteen names; what these look like is the theme's.
On the `ansi` themes, and on terminals without more colours, they are the terminal's own.
"""

import msgspec
from rich.terminal_theme import TerminalTheme
from textual.theme import Theme

from .palette import PaletteName

Rgb = tuple[int, int, int]

DEFAULT_THEME = "dark"
# In the place of any other where colours are not wanted; nobody needs to choose it.
PLAIN_THEME = "plain"


class ScreenTheme(msgspec.Struct, frozen=True):
    """A theme, the palette that its curve is drawn with, and the sixteen colours by name."""

    theme: Theme
    palette: PaletteName
    colours: TerminalTheme
    help: str


def _named_colours(background: str, foreground: str, *eight: str) -> TerminalTheme:
    """Black, red, green, yellow, blue, magenta, cyan and white, the bright ones the same."""
    colours = [_rgb(colour) for colour in eight]
    return TerminalTheme(_rgb(background), _rgb(foreground), colours, colours)


def _rgb(colour: str) -> Rgb:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


_DARK = ScreenTheme(
    Theme(
        "dark",
        primary="#4aa3df",
        secondary="#7d8bb0",
        accent="#56b4e9",
        success="#4fc17f",
        warning="#e5b567",
        error="#ff6b6b",
        foreground="#dde3ea",
        background="#12161c",
        surface="#1a2028",
        panel="#232b36",
        variables={"border-blurred": "#46566a", "panel-lighten-2": "#46566a"},
    ),
    "dark",
    _named_colours(
        "#12161c",
        "#dde3ea",
        *("#12161c", "#ff6b6b", "#4fc17f", "#e5b567"),
        *("#4aa3df", "#c792ea", "#56c8d8", "#dde3ea"),
    ),
    "for dark rooms and terminals",
)

_LIGHT = ScreenTheme(
    Theme(
        "light",
        primary="#0b62a4",
        secondary="#5a6478",
        accent="#0072b2",
        success="#1a7f37",
        warning="#8a5a00",
        error="#b3261e",
        foreground="#1c2128",
        background="#fbfbfa",
        surface="#f1f2f3",
        panel="#e3e6e9",
        dark=False,
        variables={"border-blurred": "#8c96a3", "panel-lighten-2": "#8c96a3"},
    ),
    "light",
    _named_colours(
        "#fbfbfa",
        "#1c2128",
        *("#1c2128", "#b3261e", "#1a7f37", "#8a5a00"),
        *("#0b62a4", "#8250df", "#0e6f7c", "#5a6478"),
    ),
    "for bright rooms and light terminals",
)

_HIGH_CONTRAST = ScreenTheme(
    Theme(
        "high-contrast",
        primary="#00d7ff",
        secondary="#ffffff",
        accent="#ffff00",
        success="#00ff5f",
        warning="#ffd700",
        error="#ff8787",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1c1c1c",
        text_alpha=1.0,
        variables={
            "border-blurred": "#ffffff",
            "panel-lighten-2": "#ffffff",
            "text-muted": "#ffffff",
            "text-disabled": "#c6c6c6",
            "foreground-muted": "#ffffff",
        },
    ),
    "high_contrast",
    _named_colours(
        "#000000",
        "#ffffff",
        *("#000000", "#ff8787", "#00ff5f", "#ffd700"),
        *("#5fd7ff", "#ff87ff", "#00ffff", "#ffffff"),
    ),
    "white and plain colours on black",
)

# Okabe and Ito's colours, which all kinds of colour vision tell apart: vermilion for bad, bluish
# green for good, yellow for what needs a look, sky blue for the focus.
_COLOUR_BLIND = ScreenTheme(
    Theme(
        "colour-blind",
        primary="#56b4e9",
        secondary="#cc79a7",
        accent="#f0e442",
        success="#009e73",
        warning="#e69f00",
        error="#d55e00",
        foreground="#f2f2f2",
        background="#101010",
        surface="#181818",
        panel="#262626",
        variables={"border-blurred": "#6e6e6e", "panel-lighten-2": "#6e6e6e"},
    ),
    "colour_blind",
    _named_colours(
        "#101010",
        "#f2f2f2",
        *("#101010", "#d55e00", "#009e73", "#e69f00"),
        *("#56b4e9", "#cc79a7", "#56b4e9", "#f2f2f2"),
    ),
    "colours that every kind of colour vision tells apart",
)

# What Textual leaves transparent or black on these themes has the terminal's own foreground here,
# which no background hides.
_VISIBLE_EVERYWHERE = {
    "ansi-background": "ansi_default",
    "ansi-foreground": "ansi_default",
    "screen-selection-background": "ansi_default",
    "screen-selection-foreground": "ansi_default",
    "scrollbar-corner-color": "ansi_default",
    "panel-lighten-2": "ansi_default",
    "border": "ansi_default",
    "border-blurred": "ansi_default",
    "panel-lighten-1": "ansi_default",
    "text-muted": "ansi_default",
    "text-disabled": "ansi_default",
    "footer-key-foreground": "ansi_default",
    "scrollbar": "ansi_default",
    "scrollbar-hover": "ansi_default",
    "scrollbar-active": "ansi_default",
    "scrollbar-background": "ansi_default",
    "scrollbar-background-hover": "ansi_default",
    "scrollbar-background-active": "ansi_default",
    # Underlined: Textual forgets `reverse` where it styles the options of a list.
    "block-cursor-text-style": "bold underline",
    "block-cursor-blurred-text-style": "bold underline",
    "input-cursor-foreground": "ansi_default",
    "input-cursor-background": "ansi_default",
    "input-cursor-text-style": "reverse",
    "input-selection-foreground": "ansi_default",
    "input-selection-background": "ansi_default",
    "button-focus-text-style": "b reverse",
}


def _ansi(
    name: str, palette: PaletteName, about: str, accent: str, *, dark: bool = True
) -> ScreenTheme:
    """A theme in the terminal's own sixteen colours, on its own background."""
    is_plain = name == PLAIN_THEME
    ink = "ansi_default" if is_plain else "ansi_black" if dark else "ansi_bright_white"
    hues = ("ansi_green", "ansi_yellow", "ansi_red") if not is_plain else ("ansi_default",) * 3
    success, warning, error = hues
    cursor = {
        f"block-cursor{focus}-{part}": colour
        for focus in ("", "-blurred")
        for part, colour in (
            ("foreground", ink),
            ("background", accent),
        )
    }
    theme = Theme(
        name,
        ansi=True,
        dark=dark,
        primary=accent,
        secondary=accent,
        accent=accent,
        success=success,
        warning=warning,
        error=error,
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables=_VISIBLE_EVERYWHERE | cursor,
    )
    colours = _DARK.colours if dark else _LIGHT.colours
    return ScreenTheme(theme, palette, colours, about)


THEMES = {
    each.theme.name: each
    for each in (
        _DARK,
        _LIGHT,
        _HIGH_CONTRAST,
        _COLOUR_BLIND,
        _ansi("ansi-dark", "dark", "the terminal's own colours, dark", "ansi_cyan"),
        _ansi("ansi-light", "light", "the terminal's own colours, light", "ansi_blue", dark=False),
        _ansi(PLAIN_THEME, "plain", "no colours: bold, dim and reversed", "ansi_default"),
    )
}
