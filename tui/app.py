"""The app: bindings, screens, message handlers, and nothing else.

form -> settings -> run directory -> engine (a process of its own)
engine -> journal -> follower's thread -> message -> reduce -> state -> panes
"""

import asyncio
import signal
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType

from ..core.engine.launch import launch
from ..core.errors import EpochtopError
from ..core.run.control import Command, Pause, SaveCheckpoint, Stop, Unpause, send_command
from ..core.run.directory import Run, create_run
from ..core.run.status import RunStatus
from ..core.settings.declaration import Settings
from ..core.settings.toml_file import read_settings
from . import wording
from .background import NotResumed, Resumption, how_to_train_more
from .follower import Follower
from .key_order import KeysInOrder
from .keys import app_bindings
from .messages import RecordsArrived, StatusChanged
from .narration import Line, Severity, narrate
from .screens.help_screen import HelpScreen
from .screens.main_screen import MainScreen
from .screens.quit_dialog import Choice, QuitDialog
from .state import RunState, reduce
from .summary import farewell_lines
from .widgets.settings_form import SettingsForm

_SECONDS_BETWEEN_LOOKS = 0.1


class EpochtopApp(KeysInOrder[None]):
    """Shows one run, live or finished, and starts others.

    Args:
        runs: where new runs are created.
        run: the run to show; without one the form waits.
    """

    TITLE = "epochtop"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()

    def __init__(self, runs: Path, run: Run | None = None) -> None:
        super().__init__()
        self._runs = runs
        self._run = run
        self._state = RunState()
        self._status: RunStatus | None = None
        self._follower: Follower | None = None
        self._engines: list[subprocess.Popen[bytes]] = []
        self._quits_at_end = False
        self._main = MainScreen()

    def get_default_screen(self) -> MainScreen:
        """The three panes."""
        return self._main

    def on_load(self) -> None:
        """Give the terminal back on SIGTERM, whenever it comes."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end_on_sigterm)

    def on_ready(self) -> None:
        """Follow the run that the app was opened on, once there are panes to show it."""
        if self._run is not None:
            self._follow_run(self._run)

    async def on_unmount(self) -> None:
        """Let the follower end before the app does."""
        self._stop_following()

    def on_records_arrived(self, message: RecordsArrived) -> None:
        """Bring the panes up to date; messages of a run that was left are late."""
        if message.run != self._run:
            return
        news = list(narrate(message.events, self._state.stopping))
        self._state = reduce(self._state, message.events)
        self._main.show_state(self._state, news)
        self._main.form.follow(message.events)

    def on_status_changed(self, message: StatusChanged) -> None:
        """Show the run's new state, and quit if that was waited for."""
        if message.run != self._run:
            return
        self._show_status(message.status)
        if message.status.state in ("killed", "lost"):
            self._tell(_how_it_was_lost(message.run, message.status), "bad")
        if not message.status.is_live and (self._quits_at_end or self._asks_before_quitting):
            self.exit()

    def on_settings_form_start_requested(self, message: SettingsForm.StartRequested) -> None:
        """Start a run and show it, unless one is live by now."""
        if self._is_live:
            return
        try:
            run = create_run(self._runs, message.settings)
            self._engines.append(launch(run))
        except (EpochtopError, OSError) as error:
            self._tell(f"the run was not started: {error}", "bad")
            return
        self._follow_run(run)
        self._main.show_pane("curve")

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
        self._request(Unpause() if self._state.paused else Pause())

    def action_checkpoint(self) -> None:
        """Ask the engine to write its checkpoints."""
        self._request(SaveCheckpoint())

    def action_resume(self) -> None:
        """Start an engine that goes on with the run from its last checkpoint."""
        if self._run is None:
            self._tell("there is no run yet to go on with", "warning")
        elif self._is_live:
            self._tell("the run is live", "warning")
        else:
            self._resume(self._run)

    def action_edit(self) -> None:
        """Go to the settings."""
        self._main.show_pane("form")

    def action_new_run(self) -> None:
        """Go to the settings, which are those of the run on the screen."""
        if self._is_live:
            self._tell("a run is live; when it has ended another can start as it did", "warning")
            return
        self._main.show_pane("form")
        self._main.set_focus(self._main.form.begin_anew())

    def action_load_settings(self) -> None:
        """Ask for a TOML file and fill the form from it."""
        if self._is_live:
            self._tell("a run is live; its settings cannot be loaded anew", "warning")
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

    def action_log(self) -> None:
        """Go to the event log."""
        self._main.show_pane("log")

    def action_leave_field(self) -> None:
        """Go back from a field to the curve."""
        self._main.show_pane("curve")

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(HelpScreen())

    async def action_quit(self) -> None:
        """Leave; ask first what becomes of a live run."""
        if not self._is_live:
            self.exit()
        elif not self._asks_before_quitting:
            self.push_screen(QuitDialog(), self._quit_as_chosen)

    def _settings_loaded(self, settings: Settings | None) -> None:
        if settings is not None and not self._is_live:
            self._main.form.fill(settings)
            self._main.show_pane("form")
            self._tell("settings loaded", "plain")

    def _settings_saved(self, path: Path | None) -> None:
        if path is not None:
            self._tell(f"settings saved to {path}", "plain")

    def farewell(self) -> list[str]:
        """What to print once the screen is gone: how the run stands and how to come back."""
        if self._run is None:
            return []
        return farewell_lines(self._run, self._state, self._status or RunStatus("finished"))

    @property
    def _asks_before_quitting(self) -> bool:
        return isinstance(self.screen, QuitDialog)

    @property
    def _is_live(self) -> bool:
        return self._status is not None and self._status.is_live

    def _follow_run(self, run: Run) -> None:
        """Show another run from its first record on."""
        self._stop_following()
        self._run = run
        self._state = RunState()
        self._main.show_run(run)
        self._show_status(RunStatus("starting"))
        try:
            self._main.show_settings(read_settings(run.settings_path))
        except EpochtopError as error:
            self._tell(str(error), "warning")
        self._follower = Follower(run, self.post_message)
        self._follower.start()

    def _stop_following(self) -> None:
        if self._follower is not None:
            self._follower.stop()
            self._follower = None

    def _end_on_sigterm(self) -> None:
        self.exit(return_code=128 + signal.SIGTERM)

    def _quit_as_chosen(self, choice: Choice | None) -> None:
        if choice == "leave" or (choice == "stop" and not self._is_live):
            self.exit()
        elif choice == "stop":
            self._quits_at_end = self._request(Stop("now"))

    def _request(self, command: Command) -> bool:
        """Leave the engine a command; the log tells when it is carried out."""
        if self._run is None or not self._is_live:
            self._tell("no run is live", "warning")
            return False
        try:
            send_command(self._run, command)
        except OSError as error:
            self._tell(f"the engine could not be asked: {error}", "bad")
            return False
        return True

    def _resume(self, run: Run) -> None:
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
        while (news := resumption.look()) is None:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        if isinstance(news, NotResumed):
            self._show_status(before)
            self._tell(news.message, "bad" if news.exit_code else "warning")
            if not news.exit_code:
                self._tell(how_to_train_more(resumption.run), "plain")

    def _show_status(self, status: RunStatus | None) -> None:
        self._status = status
        self._main.show_status(status)

    def _tell(self, text: str, severity: Severity) -> None:
        """Say something in the event log that is not in the journal."""
        self._main.show_state(self._state, [Line(time.time(), text, severity)])


def _how_it_was_lost(run: Run, status: RunStatus) -> str:
    if not run.path.exists():
        return "the run's directory is gone"
    return f"the engine is gone: {wording.status_text(status)}"
