"""What the command palette finds: every key's action by its name, and what has no key."""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ..keys import KEY_GROUPS, Stage
from .themes import PLAIN_THEME, THEMES

# They make no sense without their key.
_NOT_LISTED = {"leave_field", "command_palette"}


class ListedCommand(msgspec.Struct, frozen=True):
    """A command by name."""

    name: str
    help: str
    run: Callable[[], object]


def key_commands(stage: Stage, run_action: Callable[[str], object]) -> Iterator[ListedCommand]:
    """A command for each key that does something for a run that stands so."""
    told = set(_NOT_LISTED)
    for about, keys in KEY_GROUPS:
        for key in keys:
            if key.action in told or stage not in key.stages:
                continue
            told.add(key.action)
            name = key.label if about in ("The run", "The screen") else f"{about}: {key.label}"
            yield ListedCommand(name, key.help, partial(run_action, key.action))


def theme_commands(choose: Callable[[str], object]) -> Iterator[ListedCommand]:
    """A command for each theme that one may choose."""
    for name, theme in THEMES.items():
        if name != PLAIN_THEME:
            about = f"{theme.help[0].upper()}{theme.help[1:]}."
            yield ListedCommand(f"Theme: {name}", about, partial(choose, name))
