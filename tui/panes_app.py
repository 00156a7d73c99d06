"""An app of three panes, drawn as its user has chosen, that one goes between by keys."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from .look.palette import palette_named
from .look.preferences import PreferencesFile
from .look.themed_app import ThemedApp
from .look.view import from_preferences as view_of
from .look.view import preferences as preferences_of
from .screens.main_screen import MainScreen
from .terminal.terminal import Terminal
from .terminal.terminal_update import ExactUpdates
from .widgets.loss_curve import LossCurve
from .words.line import Severity

if TYPE_CHECKING:
    from ..core.settings.declaration import Settings


class PanesApp(ExactUpdates[None], ThemedApp[None]):
    """Knows the panes, but of runs only whether one is live.

    Args:
        terminal: how to draw.
        preferences: what the user has chosen before.
    """

    def __init__(self, terminal: Terminal, preferences: PreferencesFile) -> None:
        super().__init__(terminal, preferences)
        self._main = MainScreen()

    @property
    @abstractmethod
    def _why_settled(self) -> str:
        """Why the form's settings are not to be replaced now; empty when they may be."""

    @abstractmethod
    def _tell(self, text: str, severity: Severity, key: str | None = None) -> None:
        """Say something in the event log."""

    def get_default_screen(self) -> MainScreen:
        """The three panes."""
        return self._main

    def on_ready(self) -> None:
        """Draw the curve as its user wants it."""
        self._main.curve.view = view_of(self.preferences.view)
        self._dress_curve()
        self.theme_changed_signal.subscribe(self, lambda _theme: self._dress_curve())

    def on_loss_curve_view_changed(self, message: LossCurve.ViewChanged) -> None:
        """Remember how the curve is looked at."""
        self.remember(view=preferences_of(message.view))

    def on_curve_actions_not_measured(self, message: LossCurve.NotMeasured) -> None:
        """Say why nothing more is drawn."""
        self._tell(f"this run has not measured {message.name}", "plain")

    def action_command_palette(self) -> None:
        """Open the command palette, unless it is open."""
        from .screens.command_screen import CommandScreen

        if not isinstance(self.screen, CommandScreen):
            self.push_screen(CommandScreen())

    def action_toggle_ascii(self) -> None:
        """Draw in ASCII, or no longer."""
        super().action_toggle_ascii()
        self._dress_curve()

    def reset_preferences(self) -> None:
        """Look as for a new user again."""
        super().reset_preferences()
        self._main.curve.view = view_of(self.preferences.view)

    def action_edit(self) -> None:
        """Go to the settings."""
        self._main.show_pane("form")

    def action_load_settings(self) -> None:
        """Ask for a TOML file and fill the form from it."""
        if self._why_settled:
            self._tell(self._why_settled, "warning")
        else:
            from .screens.settings_file import LoadPrompt  # not before the first frame

            self.push_screen(LoadPrompt(), self._settings_loaded)

    def action_save_settings(self) -> None:
        """Ask where to, and save the form's settings."""
        settings = self._main.form.sheet.settings
        if settings is None:
            self._tell("not saved: " + "; ".join(self._main.form.problems), "warning")
        else:
            from .screens.settings_file import SavePrompt  # not before the first frame

            self.push_screen(SavePrompt(settings), self._settings_saved)

    def action_curve(self) -> None:
        """Go to the loss curve."""
        self._main.show_pane("curve")

    def action_what_if(self) -> None:
        """Show what other stopping rules would have made of the run."""
        from .screens.whatif_screen import WhatIfScreen  # not before the first frame

        self.push_screen(WhatIfScreen(self._main.curve))

    def action_log(self) -> None:
        """Go to the event log."""
        self._main.show_pane("log")

    def action_maximise(self) -> None:
        """Give the pane in focus the whole screen, or no longer."""
        self._main.maximise_or_back()

    def action_leave_field(self) -> None:
        """Go back from a field to the curve."""
        self._main.show_pane("curve")

    def action_help(self) -> None:
        """Show the keys."""
        from .screens.help_screen import HelpScreen  # not before the first frame

        self.push_screen(HelpScreen())

    def _settings_loaded(self, settings: Settings | None) -> None:
        if settings is not None and not self._why_settled:
            self._main.form.fill(settings)
            self._main.show_pane("form")
            self._tell("settings loaded", "plain")

    def _settings_saved(self, path: Path | None) -> None:
        if path is not None:
            self._tell(f"settings saved to {path}", "plain")

    def tell_problem(self, problem: str) -> None:
        """Say in the log what went wrong with the preferences."""
        self._tell(problem, "warning")

    def _dress_curve(self) -> None:
        """Draw the curve in the colours of the theme and in the terminal's characters."""
        self._main.curve.palette = palette_named(self.palette, is_ascii=self.is_ascii)
