"""The options of the commands that open the screen."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from .screen import ScreenOptions

P = ParamSpec("P")
R = TypeVar("R")

THEME_NAMES = ("dark", "light", "high-contrast", "colour-blind", "ansi-dark", "ansi-light")

_OPTIONS = (
    click.option(
        "--theme", type=click.Choice(THEME_NAMES), help="The screen's colours; remembered."
    ),
    click.option(
        "--ascii/--no-ascii",
        "ascii_said",
        default=None,
        help="Draw without characters beyond ASCII.  [default: as locale and terminal say]",
    ),
    click.option("--mouse/--no-mouse", default=None, help="Leave the mouse to the terminal."),
    click.option(
        "--bell/--no-bell", default=None, help="Ring when the watched run ends; remembered."
    ),
    click.option(
        "--notify/--no-notify",
        default=None,
        help="Have the terminal notify you when the watched run ends; remembered.",
    ),
)
_NAMES = ("theme", "ascii_said", "mouse", "bell", "notify")


def screen_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command these options, as one `screen`; those said to `epochtop` itself count, too."""

    @wraps(command)
    def with_screen(*args: Any, **params: Any) -> R:
        outer = click.get_current_context().parent
        said = {name: params.pop(name) for name in _NAMES}
        for name, value in said.items():
            if value is None and outer is not None:
                said[name] = outer.params.get(name)
        return command(*args, screen=ScreenOptions(**said), **params)

    decorated: Callable[..., R] = with_screen
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
