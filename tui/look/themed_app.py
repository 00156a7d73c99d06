"""An app that looks and is remembered as its user has chosen."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import App

from ..terminal.terminal import Terminal
from ..terminal.terminal_app import TerminalApp
from .palette import PaletteName
from .preferences import PreferencesFile
from .themes import DEFAULT_THEME, PLAIN_THEME, THEMES, ScreenTheme

if TYPE_CHECKING:
    from .command_list import ListedCommand

T = TypeVar("T")

_ON_OFF = {True: "on", False: "off"}


class ThemedApp(TerminalApp[T]):
    """Knows its themes and its user's preferences.

    Args:
        terminal: how to draw.
        preferences: where they are remembered.
    """

    def __init__(self, terminal: Terminal, preferences: PreferencesFile) -> None:
        super().__init__(terminal)
        for each in THEMES.values():
            self.register_theme(each.theme)
        self._preferences_file = preferences
        self._problem_told: str | None = None
        written_before = preferences.problem
        self.preferences = preferences.read()
        preferences.problem = preferences.problem or written_before
        self._wear_at_first(self.preferences.theme if terminal.coloured else PLAIN_THEME)

    @property
    def palette(self) -> PaletteName:
        """The name of the colours that the curve is drawn with."""
        return THEMES[self.theme].palette

    def choose_theme(self, name: str) -> None:
        """Look otherwise from now on."""
        self._wear(name if self.is_coloured else PLAIN_THEME)
        self.remember(theme=name)

    def remember(self, **changes: Any) -> None:
        """Keep some preferences for the next time; one that is as it was costs nothing."""
        before = self.preferences
        if any(getattr(before, name) != value for name, value in changes.items()):
            self.preferences = self._preferences_file.change(**changes)
            self._tell_new_problem()

    def announce(self, text: str) -> None:
        """Tell of something as the user wants to be told: by the bell, by a notification."""
        if self.preferences.bell:
            self.bell()
        if self.preferences.notify:
            self.send_notification(text)

    def reset_preferences(self) -> None:
        """Look as for a new user again."""
        self.preferences = self._preferences_file.reset()
        self._tell_new_problem()
        self._wear(self.preferences.theme if self.is_coloured else PLAIN_THEME)

    def look_commands(self) -> "Iterator[ListedCommand]":
        """Commands for what is chosen of the screen; without colours there is one theme."""
        from .command_list import ListedCommand, theme_commands

        if self.is_coloured:
            yield from theme_commands(self.choose_theme)
        bell, notify = (
            _ON_OFF[not each] for each in (self.preferences.bell, self.preferences.notify)
        )
        yield ListedCommand(
            f"Turn {bell} the bell at the end of a run",
            "Ring when a run ends that is watched.",
            partial(self.remember, bell=not self.preferences.bell),
        )
        yield ListedCommand(
            f"Turn {notify} the notification at the end of a run",
            "Have the terminal show a notification, if it can.",
            partial(self.remember, notify=not self.preferences.notify),
        )
        yield ListedCommand(
            f"Turn {_ON_OFF[not self.is_ascii]} drawing in ASCII only",
            "Draw without characters beyond ASCII, until the screen is left.",
            self.action_toggle_ascii,
        )
        yield ListedCommand(
            "Reset all preferences",
            "Theme, view and signs of a run's end as for a new user.",
            self.reset_preferences,
        )

    def on_ready(self) -> None:
        """Say what is wrong with the preferences, once there is a place to say it."""
        self._tell_new_problem()

    def _tell_new_problem(self) -> None:
        problem = self._preferences_file.problem
        if problem and problem != self._problem_told:
            self._problem_told = problem
            self.tell_problem(problem)

    def tell_problem(self, problem: str) -> None:
        """Say that preferences could not be kept; a subclass knows where."""

    def _wear_at_first(self, name: str) -> None:
        """Set what `_wear` sets, before anything is drawn: all CSS would be parsed twice."""
        chosen = _theme_named(name)
        dark = chosen.theme.dark
        self.set_reactive(App.ansi_theme_dark if dark else App.ansi_theme_light, chosen.colours)
        self.set_reactive(App.theme, chosen.theme.name)
        self.set_classes({f"-theme-{chosen.theme.name}", "-dark-mode" if dark else "-light-mode"})
        self._refresh_truecolor_filter(chosen.colours)
        self.stylesheet.set_variables(self.get_css_variables())

    def _wear(self, name: str) -> None:
        chosen = _theme_named(name)
        if chosen.theme.dark:
            self.ansi_theme_dark = chosen.colours
        else:
            self.ansi_theme_light = chosen.colours
        self.theme = chosen.theme.name


def _theme_named(name: str) -> ScreenTheme:
    return THEMES.get(name) or THEMES[DEFAULT_THEME]
