"""The options of the commands that open the screen."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from ..terminal.terminal import Terminal, distrust_inherited_colours, look_at_terminal

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


@dataclass(frozen=True)
class ScreenOptions:
    """What the command line says about the screen; None is what it does not say."""

    theme: str | None = None
    ascii_said: bool | None = None
    mouse: bool | None = None
    bell: bool | None = None
    notify: bool | None = None

    def terminal(self) -> Terminal:
        """How to draw on the terminal of this process."""
        distrust_inherited_colours(os.environ)
        encoding = getattr(sys.__stderr__, "encoding", None)
        return look_at_terminal(
            os.environ, encoding, ascii_said=self.ascii_said, mouse=self.mouse is not False
        )

    def to_remember(self) -> dict[str, Any]:
        """What was said that counts for the next time, too."""
        said = {"theme": self.theme, "bell": self.bell, "notify": self.notify}
        return {name: value for name, value in said.items() if value is not None}


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
