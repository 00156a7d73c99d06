"""An app of panes that follow one run: what its journal tells, how it stands, what it waits for.

journal -> follower's thread -> message -> reduce -> state -> panes
"""

from __future__ import annotations

import gc
import time
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..core.errors import EpochtopError
from ..core.run.directory import Run
from ..core.run.status import RunStatus
from .following.epoch_block import EpochBlock
from .following.messages import RecordsArrived, StatusChanged
from .following.misreading import MisreadFound, search_misread
from .following.pulse import Pulse
from .following.state import RunState, reduce
from .following.verdicts import FollowedVerdict
from .keys import Stage
from .look.preferences import PreferencesFile
from .panes_app import PanesApp
from .telemetry.sampled import TelemetrySampled
from .terminal.terminal import Terminal
from .words import wording
from .words.line import Line, Severity

if TYPE_CHECKING:
    from .asking.asking import Asking
    from .following.follower import Follower
    from .following.head_start import HeadStart
    from .telemetry.sampler import TelemetrySampler
    from .words.narration import Story

_SECONDS_BETWEEN_TICKS = 1.0
_MISREAD = "misread"


class FollowingApp(PanesApp):
    """Shows one run, live or finished.

    Args:
        run: the run to show; without one the form waits.
        terminal: how to draw.
        preferences: what the user has chosen before.
        head_start: what reads that run's journal already, if it is long.
    """

    def __init__(
        self,
        run: Run | None,
        terminal: Terminal,
        preferences: PreferencesFile,
        head_start: HeadStart | None,
    ) -> None:
        super().__init__(terminal, preferences)
        self._run = run
        self._state = RunState()
        self._story: Story | None = None
        self._verdict = FollowedVerdict()
        self._pulse = Pulse()
        self._status: RunStatus | None = None
        self._is_status_known = False
        self._head_start = head_start
        self._follower: Follower | None = None
        self._sampler: TelemetrySampler | None = None
        self._was_live = False
        self._missing_epochs = 0

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
            self._missing_epochs = 0
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
        self._search_misread()

    def on_status_changed(self, message: StatusChanged) -> None:
        """Show the run's new state, and say what it has come to."""
        if message.run != self._run:
            return
        self._is_status_known = True
        self._show_status(message.status)
        if self._was_live and not message.status.is_live:
            from .words.summary import end_text

            self.announce(end_text(message.run, self._state, message.status))
        self._was_live = message.status.is_live
        if message.status.state in ("killed", "lost"):
            self._tell(_how_it_was_lost(message.run, message.status), "bad")
        if not message.status.is_live:
            self._close(message.run, message.status)
        self._search_misread()

    def on_misread_found(self, message: MisreadFound) -> None:
        """Say which line of the journal is left out, and why."""
        if message.run == self._run:
            line, why = message.misread.line, message.misread.why
            self._tell(f"line {line:,} of the journal was not read: {why}", "warning", _MISREAD)

    def on_telemetry_sampled(self, message: TelemetrySampled) -> None:
        """Show what the machine is doing for this run."""
        if message.run == self._run:
            self._main.show_telemetry(message.telemetry)

    def farewell(self) -> list[str]:
        """What to print once the screen is gone: how the run stands and how to come back."""
        from .words.summary import farewell_lines, unread_lines

        if self._run is None:
            return []
        if self._status is None or self._stage == "reading":
            return unread_lines(self._run)
        return farewell_lines(self._run, self._state, self._status)

    @property
    def _with_verdict(self) -> RunState:
        """The run, with a verdict even where its journal has none."""
        return replace(self._state, verdict=self._verdict.of(self._state))

    @property
    def _stage(self) -> Stage:
        status = self._status
        if self._run is None or status is None:
            return "none"
        if self._state.loading is not None or not self._is_status_known:
            return "reading"
        if not status.is_live:
            return "ended" if self._state.started is not None else "final"
        if status.is_foreign:
            return "foreign"
        return "paused" if self._state.paused else "live"

    @property
    def _is_live(self) -> bool:
        """Whether an engine, which can be asked for something, trains the run."""
        return self._stage in ("live", "paused")

    @property
    def _why_not(self) -> str:
        """Why nothing can be asked of the run as it stands."""
        from .words.refusals import refusal

        return refusal(self._stage, self._state.loading)

    def _follow_run(self, run: Run, *, is_new: bool = False) -> None:
        """Show another run from its first record on.

        Args:
            run: the run.
            is_new: whether an engine has just been started for it, and can be asked at once.
        """
        from .following.follower import Follower
        from .telemetry.sampler import TelemetrySampler

        self._stop_following()
        self._run = run
        self._was_live = False
        self._is_status_known = is_new
        self._state, self._story = RunState(), None
        self._missing_epochs = 0
        self._verdict = FollowedVerdict()
        self._asking.give_up()
        self._main.show_run(run)
        self._show_status(RunStatus("starting"))
        self._show_settings(run)
        head_start, self._head_start = self._head_start, None
        self._follower = Follower(run, self.post_message, head_start)
        self._follower.start()
        self._sampler = TelemetrySampler(run, self.post_message)
        self._sampler.start()

    def _search_misread(self) -> None:
        """Search for what is wrong with the journal, where more epochs are missing than before."""
        run, missing = self._run, self._state.missing_epochs
        if not len(self._state.history) and self._stage in ("foreign", "ended", "final"):
            missing = 1
        if run and self._state.loading is None and missing > self._missing_epochs:
            self._missing_epochs = missing
            search_misread(run, self.post_message)

    def _show_settings(self, run: Run) -> None:
        from ..core.settings.toml_file import read_settings

        try:
            self._main.show_settings(read_settings(run.settings_path))
        except EpochtopError as error:
            self._tell(_why_no_settings(run, error), "warning")

    def _stop_following(self) -> None:
        if self._follower is not None:
            self._follower.stop()
            self._follower = None
        if self._sampler is not None:
            self._sampler.stop()
            self._sampler = None

    @cached_property
    def _asking(self) -> Asking:
        """What was asked for; made when something is, which is after the first frame."""
        from .asking.asking import Asking

        return Asking(self._main.show_pending, self._tell_of_request, self._main.withdraw)

    def _tell_of_request(self, text: str, *, is_late: bool, key: str) -> None:
        self._tell(text, "warning" if is_late else "plain", key)

    def _tick(self) -> None:
        """Once a second: let the time go by, and say which requests have waited too long."""
        if self._status is None or not self._status.is_live:
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
        finished = self._state.finished
        lines = [
            Line(finished.time if finished else time.time(), text, "plain")
            for text in closing_lines(run, self._state, status)[1:]
        ]
        self._main.show_state(self._with_verdict, lines)

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
    if status.is_foreign:
        return "the journal has been silent for minutes: what wrote it seems to be gone"
    return f"the engine is gone: {wording.status_text(status)}"


def _last_written(run: Run) -> float:
    """When a journal last grew: an engine may have been silent for long when one looks at it."""
    try:
        return min(time.time(), run.journal_path.stat().st_mtime)
    except OSError:
        return time.time()
