"""The app: bindings, screens, message handlers, and nothing else.

form -> settings -> run directory -> engine (a process of its own)
engine -> journal -> follower's thread -> message -> reduce -> state -> panes
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from ..core.errors import EpochtopError
from ..core.run.control import Command, Pause, SaveCheckpoint, Stop, Unpause
from ..core.run.directory import Run
from ..core.run.status import RunStatus
from .following.epoch_block import EpochBlock
from .following.messages import RecordsArrived, StatusChanged
from .following.pulse import Pulse
from .following.state import RunState, reduce
from .following.verdicts import FollowedVerdict
from .keys import Stage, app_bindings
from .look.palette import palette_named
from .look.preferences import PreferencesFile
from .panes_app import PanesApp
from .telemetry.sampled import TelemetrySampled
from .terminal.terminal import Terminal
from .widgets.run_buttons import RunButtons
from .widgets.settings_form import SettingsForm
from .words import wording
from .words.line import Line, Severity

if TYPE_CHECKING:
    import subprocess

    from .asking.asking import Asking
    from .asking.resumption import Resumption
    from .following.follower import Follower
    from .following.head_start import HeadStart
    from .screens.quit_dialog import Choice
    from .telemetry.sampler import TelemetrySampler
    from .words.narration import Story

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_TICKS = 1.0


class EpochtopApp(PanesApp):
    """Shows one run, live or finished, and starts others.

    Args:
        runs: where new runs are created.
        run: the run to show; without one the form waits.
        head_start: what reads that run's journal already, if it is long.
        terminal: how to draw.
        preferences: what the user has chosen before; by default kept in memory only.
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
        super().__init__(terminal, preferences or PreferencesFile())
        self._runs = runs
        self._run = run
        self._state = RunState()
        self._story: Story | None = None
        self._verdict = FollowedVerdict()
        self._pulse = Pulse()
        self._status: RunStatus | None = None
        self._head_start = head_start
        self._follower: Follower | None = None
        self._sampler: TelemetrySampler | None = None
        self._engines: list[subprocess.Popen[bytes]] = []
        self._quits_at_end = False
        self._was_live = False

    def on_ready(self) -> None:
        """Follow the run that the app was opened on, once there are panes to show it."""
        _collect_garbage_again()
        self.set_interval(_SECONDS_BETWEEN_TICKS, self._tick)
        if self._run is not None:
            self._follow_run(self._run)

    async def on_unmount(self) -> None:
        """Let the follower end before the app does."""
        self._stop_following()

    def on_records_arrived(self, message: RecordsArrived) -> None:
        """Bring the panes up to date; messages of a run that was left are late."""
        from .words.narration import narrate

        if message.run != self._run:
            return
        if message.starts_over:
            self._state, self._story = RunState(), None
            self._main.show_run(message.run)
        is_first = self._state.started is None
        news, self._story = narrate(message.events, self._story)
        self._state = replace(reduce(self._state, message.events), loading=message.loading)
        with self.batch_update():
            self._hear(_last_written(message.run) if is_first else time.time())
            events = [each for each in message.events if not isinstance(each, EpochBlock)]
            self._asking.note_answers(events)
            self._main.show_state(self._with_verdict, news)
            self._main.show_stage(self._stage)
            self._main.form.follow(events)

    def on_status_changed(self, message: StatusChanged) -> None:
        """Show the run's new state, and quit if that was waited for."""
        if message.run != self._run:
            return
        self._show_status(message.status)
        if self._was_live and not message.status.is_live:
            from .words.summary import end_text

            self.announce(end_text(message.run, self._state, message.status))
        self._was_live = message.status.is_live
        if message.status.state in ("killed", "lost"):
            self._tell(_how_it_was_lost(message.run, message.status), "bad")
        if not message.status.is_live:
            self._close(message.run, message.status)
        if not message.status.is_live and (self._quits_at_end or self._asks_before_quitting):
            self.exit()

    def on_telemetry_sampled(self, message: TelemetrySampled) -> None:
        """Show what the machine is doing for this run."""
        if message.run == self._run:
            self._main.show_telemetry(message.telemetry)

    def on_settings_form_start_requested(self, message: SettingsForm.StartRequested) -> None:
        """Start a run and show it, unless one is live by now."""
        from ..core.engine.launch import launch
        from ..core.run.directory import create_run

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
        else:
            self._resume(self._run)

    def action_new_run(self) -> None:
        """Go to the settings, which are those of the run on the screen."""
        if self._is_live:
            self._tell("a run is live; when it has ended another can start as it did", "warning")
            return
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

    def farewell(self) -> list[str]:
        """What to print once the screen is gone: how the run stands and how to come back."""
        from .words.summary import farewell_lines

        if self._run is None:
            return []
        return farewell_lines(self._run, self._state, self._status or RunStatus("finished"))

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
    def _is_live(self) -> bool:
        return self._status is not None and self._status.is_live

    @property
    def _with_verdict(self) -> RunState:
        """The run, with a verdict even where its journal has none."""
        return replace(self._state, verdict=self._verdict.of(self._state))

    @property
    def _stage(self) -> Stage:
        if self._run is None:
            return "none"
        if not self._is_live:
            return "ended"
        return "paused" if self._state.paused else "live"

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

    def _follow_run(self, run: Run) -> None:
        """Show another run from its first record on."""
        from ..core.settings.toml_file import read_settings
        from .following.follower import Follower
        from .telemetry.sampler import TelemetrySampler

        self._stop_following()
        self._run = run
        self._was_live = False
        self._state, self._story = RunState(), None
        self._verdict = FollowedVerdict()
        self._asking.give_up()
        self._main.show_run(run)
        self._show_status(RunStatus("starting"))
        try:
            self._main.show_settings(read_settings(run.settings_path))
        except EpochtopError as error:
            self._tell(_why_no_settings(run, error), "warning")
        head_start, self._head_start = self._head_start, None
        self._follower = Follower(run, self.post_message, head_start)
        self._follower.start()
        self._sampler = TelemetrySampler(run, self.post_message)
        self._sampler.start()

    def _stop_following(self) -> None:
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        if self._sampler is not None:
            self._sampler.stop()
            self._sampler = None

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
            self._asking.send(self._run, command)
        except OSError as error:
            self._tell(f"the engine could not be asked: {error}", "bad")
            return False
        return True

    @cached_property
    def _asking(self) -> Asking:
        """What was asked for; made when something is, which is after the first frame."""
        from .asking.asking import Asking

        return Asking(self._main.show_pending, self._tell_of_request, self._main.withdraw)

    def _tell_of_request(self, text: str, *, is_late: bool, key: str) -> None:
        self._tell(text, "warning" if is_late else "plain", key)

    def _tick(self) -> None:
        """Once a second: let the time go by, and say which requests have waited too long."""
        if not self._is_live:
            return
        now = time.time()
        self._asking.note_time(now)
        self._pulse = replace(self._pulse, now=now)
        if not self._state.paused:
            self._main.show_pulse(self._pulse)

    def _hear(self, heard: float) -> None:
        """The journal has grown."""
        self._pulse = Pulse(heard, time.time())
        self._main.show_pulse(self._pulse)

    def _close(self, run: Run, status: RunStatus) -> None:
        """Sum a run up at its end; nobody answers any more."""
        from .words.summary import closing_lines

        self._asking.give_up()
        for text in closing_lines(run, self._state, status)[1:]:
            if text:
                self._tell(text, "plain")

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

    def _show_status(self, status: RunStatus | None) -> None:
        self._status = status
        self._main.show_status(status)
        self._main.show_stage(self._stage)

    def _tell(self, text: str, severity: Severity, key: str | None = None) -> None:
        """Say something in the event log that is not in the journal."""
        self._main.show_state(self._with_verdict, [Line(time.time(), text, severity, key)])


def _collect_garbage_again() -> None:
    """After the first frame; what is there by then stays, and need not be looked at ever again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _why_no_settings(run: Run, error: EpochtopError) -> str:
    if run.settings_path.exists():
        return str(error)
    return "the run has no settings.toml: the form shows the defaults, not what it trains with"


def _how_it_was_lost(run: Run, status: RunStatus) -> str:
    if not run.path.exists():
        return "the run's directory is gone"
    return f"the engine is gone: {wording.status_text(status)}"


def _last_written(run: Run) -> float:
    """When a journal last grew: an engine may have been silent for long when one looks at it."""
    try:
        return min(time.time(), run.journal_path.stat().st_mtime)
    except OSError:
        return time.time()
