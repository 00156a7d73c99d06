"""Every theme can be read, and every state told apart, in it."""

import re
from itertools import combinations

import pytest
from textual.color import Color

from epochtop.tui.commands.screen_options import THEME_NAMES
from epochtop.tui.look.preferences import Preferences
from epochtop.tui.look.themes import DEFAULT_THEME, PLAIN_THEME, THEMES

RED, GREEN, YELLOW = 1, 2, 3
OWN_COLOURS = [name for name, each in THEMES.items() if not each.theme.ansi]
TERMINALS_COLOURS = [name for name, each in THEMES.items() if each.theme.ansi]


def contrast(one: Color, other: Color) -> float:
    """As the WCAG define it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.rgb]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def state_colours(name: str) -> list[Color]:
    colours = THEMES[name].colours.ansi_colors
    return [Color(*colours[number]) for number in (RED, GREEN, YELLOW)]


def test_the_command_line_offers_every_theme_that_one_may_choose() -> None:
    assert {*THEME_NAMES, PLAIN_THEME} == set(THEMES)
    assert Preferences().theme == DEFAULT_THEME


@pytest.mark.parametrize("name", OWN_COLOURS)
def test_text_and_states_stand_out_from_the_background(name: str) -> None:
    theme = THEMES[name].theme
    background = Color.parse(theme.background or "")
    assert contrast(Color.parse(theme.foreground or ""), background) >= 7
    for colour in state_colours(name):
        assert contrast(colour, background) >= 4.5
    border = Color.parse(theme.variables["panel-lighten-2"])
    assert contrast(border, background) >= 2


def test_high_contrast_is_higher_than_the_others() -> None:
    background = Color(0, 0, 0)
    assert all(contrast(colour, background) >= 7 for colour in state_colours("high-contrast"))


def as_seen_without(cone: str, colour: Color) -> tuple[float, float, float]:
    """Viénot, Brettel and Mollon 1999, on linear RGB."""
    red, green, blue = ((part / 255) ** 2.2 for part in colour.rgb)
    if cone == "red":
        mixed = 0.11238 * red + 0.88762 * green
        return mixed, mixed, 0.00401 * (red - green) + blue
    mixed = 0.29275 * red + 0.70725 * green
    return mixed, mixed, -0.02234 * (red - green) + blue


@pytest.mark.parametrize("cone", ["red", "green"])
def test_the_states_differ_for_those_who_do_not_see_red_or_green(cone: str) -> None:
    seen = [as_seen_without(cone, colour) for colour in state_colours("colour-blind")]
    for one, other in combinations(seen, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 0.1


@pytest.mark.parametrize("name", TERMINALS_COLOURS)
def test_nothing_vanishes_on_the_terminals_own_background(name: str) -> None:
    theme = THEMES[name].theme
    variables = theme.to_color_system().generate() | theme.variables
    for role in ("panel-lighten-2", "border", "border-blurred", "text-muted", "scrollbar"):
        assert variables[role] == "ansi_default"
    used = [theme.accent, theme.success, theme.warning, theme.error]
    assert not [colour for colour in used if colour and re.search("black|white", colour)]
