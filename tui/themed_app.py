"""An app that looks and is remembered as its user has chosen."""

from typing import Any, TypeVar

from .preferences import Preferences, PreferencesFile
from .terminal import Terminal
from .terminal_app import TerminalApp
from .themes import DEFAULT_THEME, PLAIN_THEME, THEMES

T = TypeVar("T")


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
        self.preferences, problem = preferences.read()
        self.problems_with_preferences = [problem] if problem else []
        self._wear(self.preferences.theme if terminal.coloured else PLAIN_THEME)

    @property
    def palette(self) -> str:
        """The name of the colours that the curve is drawn with."""
        return THEMES[self.theme].palette

    def choose_theme(self, name: str) -> None:
        """Look otherwise from now on."""
        self._wear(name if self.is_coloured else PLAIN_THEME)
        self.remember(theme=name)

    def remember(self, **changes: Any) -> None:
        """Keep some preferences for the next time; one that is as it was costs nothing."""
        before = self.preferences
        if all(getattr(before, name) == value for name, value in changes.items()):
            return
        self._take(*self._preferences_file.change(**changes))

    def reset_preferences(self) -> None:
        """Look as for a new user again."""
        self._take(*self._preferences_file.reset())
        self._wear(self.preferences.theme if self.is_coloured else PLAIN_THEME)

    def _take(self, preferences: Preferences, problem: str | None) -> None:
        """Hold to new preferences, and say what went wrong with keeping them, once."""
        self.preferences = preferences
        if problem and problem not in self.problems_with_preferences:
            self.problems_with_preferences.append(problem)
            self.tell_problem(problem)

    def tell_problem(self, problem: str) -> None:
        """Say that preferences could not be kept; a subclass knows where."""

    def _wear(self, name: str) -> None:
        chosen = THEMES.get(name) or THEMES[DEFAULT_THEME]
        if chosen.theme.dark:
            self.ansi_theme_dark = chosen.colours
        else:
            self.ansi_theme_light = chosen.colours
        self.theme = chosen.theme.name
