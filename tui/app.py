"""The app: what a person can do with the run on the screen, with others, and with new ones.

form -> settings -> run directory -> engine (a process of its own)
key -> command -> control/ -> engine -> journal
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from ..core.errors import EpochtopError
from ..core.run.control import Command, Pause, SaveCheckpoint, Stop, Unpause
from ..core.run.directory import Run
from ..core.run.status import RunStatus
from .following.messages import StatusChanged
from .following_app import FollowingApp
from .keys import app_bindings
from .look.palette import palette_named
from .look.preferences import PreferencesFile
from .terminal.terminal import Terminal
from .widgets.run_buttons import RunButtons
from .widgets.settings_form import SettingsForm

if TYPE_CHECKING:
    import subprocess

    from .asking.resumption import Resumption
    from .following.head_start import HeadStart
    from .screens.quit_dialog import Choice

_SECONDS_BETWEEN_LOOKS = 0.1


class EpochtopApp(FollowingApp):
    """Shows one run, asks its engine, and starts others.

    Args:
        runs: where new runs are created.
        run: the run to show; without one the form waits.
        terminal: how to draw.
        preferences: what the user has chosen before; by default kept in memory only.
        head_start: what reads that run's journal already, if it is long.
    """

    TITLE = "epochtop"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()

    def __init__(
        self,
        runs: Path,
        run: Run | None = None,
        terminal: Terminal = Terminal(),  # noqa: B008 - it is frozen
        preferences: PreferencesFile | None = None,
        head_start: HeadStart | None = None,
    ) -> None:
        super().__init__(run, terminal, preferences or PreferencesFile(), head_start)
        self._runs = runs
        self._engines: list[subprocess.Popen[bytes]] = []
        self._quits_at_end = False

    def on_status_changed(self, message: StatusChanged) -> None:
        """Quit if the end of the run was waited for."""
        waits = self._quits_at_end or self._asks_before_quitting
        if message.run == self._run and not message.status.is_live and waits:
            self.exit()

    def on_settings_form_start_requested(self, message: SettingsForm.StartRequested) -> None:
        """Start a run and show it, unless one is live by now."""
        from ..core.engine.launch import launch
        from ..core.run.directory import create_run

        if self._why_settled:
            return
        try:
            run = create_run(self._runs, message.settings)
            self._engines.append(launch(run))
        except (EpochtopError, OSError) as error:
            self._tell(f"the run was not started: {error}", "bad")
            return
        self._follow_run(run, is_new=True)
        self._main.show_pane("curve")

    async def on_run_buttons_pressed(self, message: RunButtons.Pressed) -> None:
        """Do what the key of the same name does."""
        await self.run_action(message.action)

    def on_settings_form_stop_requested(self) -> None:
        """Stop the run after its epoch."""
        self.action_stop()

    def on_settings_form_tune_requested(self, message: SettingsForm.TuneRequested) -> None:
        """Ask the engine for other values of settings; the form tells what became of each."""
        for change in message.changes:
            if not self._request(change):
                self._main.form.forget_asked()
                return

    def action_start(self) -> None:
        """Start a run with the form's settings, or say what is wrong with them."""
        if self._is_live:
            self._tell("a run is live; stop it first, or let it end", "warning")
        elif self._why_settled:
            self._tell(self._why_settled, "warning")
        elif problems := self._main.form.problems:
            self._main.show_pane("form")
            self._tell("not started: " + "; ".join(problems), "warning")
        else:
            self._main.form.request_start()

    def action_stop(self) -> None:
        """Ask the engine to stop after its epoch."""
        self._request(Stop("epoch"))

    def action_stop_now(self) -> None:
        """Ask the engine to stop at its next step."""
        self._request(Stop("now"))

    def action_pause(self) -> None:
        """Ask the engine to stand still, or to go on."""
        is_paused = self._state.paused != self._asking.is_about_to_pause_or_go_on
        self._request(Unpause() if is_paused else Pause())

    def action_checkpoint(self) -> None:
        """Ask the engine to write its checkpoints."""
        self._request(SaveCheckpoint())

    def action_resume(self) -> None:
        """Start an engine that goes on with the run from its last checkpoint."""
        if self._run is None:
            self._tell("there is no run yet to go on with", "warning")
        elif self._is_live:
            self._tell("the run is live", "warning")
        elif self._stage != "ended":
            self._tell(self._why_not, "warning")
        else:
            self._resume(self._run)

    def action_new_run(self) -> None:
        """Go to the settings, which are those of the run on the screen."""
        if self._is_live:
            self._tell("a run is live; when it has ended another can start as it did", "warning")
        elif self._why_settled:
            self._tell(self._why_settled, "warning")
        else:
            self._main.show_pane("form")
            self._main.set_focus(self._main.form.begin_anew())

    def action_compare(self) -> None:
        """Choose another run, and show both side by side."""
        from .screens.run_chooser import RunChooser

        if self._run is None:
            self._tell("there is no run yet to compare with another", "warning")
        else:
            self.push_screen(RunChooser(self._runs, [self._run]), self._compare_with)

    async def action_quit(self) -> None:
        """Leave; ask first what becomes of a live run."""
        if not self._is_live:
            self.exit()
        elif not self._asks_before_quitting:
            from .screens.quit_dialog import QuitDialog

            self.push_screen(QuitDialog(), self._quit_as_chosen)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette finds; of Textual's own commands none makes sense here."""
        from .look.command_list import key_commands

        del screen
        for command in key_commands(self._stage, self._do):
            yield SystemCommand(command.name, command.help, command.run)
        for command in self.look_commands():
            yield SystemCommand(command.name, command.help, command.run)

    @property
    def _asks_before_quitting(self) -> bool:
        from .screens.quit_dialog import QuitDialog

        return isinstance(self.screen, QuitDialog)

    @property
    def _why_settled(self) -> str:
        if self._is_live:
            return "a run is live; its settings cannot be loaded anew"
        return self._why_not if self._stage == "reading" else ""

    def _do(self, action: str) -> None:
        """Do what a key does, be it the app's or a pane's own."""
        owners = (self, *self._main.panes)
        method = f"action_{action.partition('(')[0]}"
        owner = next(each for each in owners if hasattr(each, method))
        self.call_later(self.run_action, action, owner)

    def _compare_with(self, other: Run | None) -> None:
        from .screens.comparison_screen import ComparisonScreen

        if other is not None and self._run is not None:
            palette = palette_named(self.palette, is_ascii=self.is_ascii)
            self.push_screen(ComparisonScreen(self._runs, [self._run, other], palette))

    def _quit_as_chosen(self, choice: Choice | None) -> None:
        if choice == "leave" or (choice == "stop" and not self._is_live):
            self.exit()
        elif choice == "stop":
            self._quits_at_end = self._request(Stop("now"))

    def _request(self, command: Command) -> bool:
        """Leave the engine a command; the log tells when it is carried out."""
        if self._run is None or not self._is_live:
            why = "no run is live" if self._stage == "final" else self._why_not
            self._tell(why, "warning")
            return False
        try:
            self._asking.send(self._run, command)
        except OSError as error:
            self._tell(f"the engine could not be asked: {error}", "bad")
            return False
        return True

    def _resume(self, run: Run) -> None:
        from .asking.resumption import Resumption

        try:
            resumption = Resumption(run)
        except OSError as error:
            self._tell(f"the run was not resumed: {error}", "bad")
            return
        self._engines.append(resumption.engine)
        self.run_worker(self._until_resumed(resumption, self._status))
        self._show_status(RunStatus("starting"))
        self._tell("the engine loads torch, the data and the last checkpoint", "plain")

    async def _until_resumed(self, resumption: Resumption, before: RunStatus | None) -> None:
        """Wait until the run goes on, which its journal tells, or say why it does not."""
        from .asking.resumption import NotResumed, how_to_train_more

        while (news := resumption.look()) is None:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        if isinstance(news, NotResumed):
            self._show_status(before)
            self._tell(news.message, "bad" if news.exit_code else "warning")
            if not news.exit_code:
                self._tell(how_to_train_more(resumption.run), "plain")
