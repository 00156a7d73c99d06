"""The three panes, and the line over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..following.pulse import Pulse
from ..following.state import RunState
from ..keys import Stage
from ..telemetry.telemetry import Telemetry
from ..widgets.event_log import EventLog
from ..widgets.key_line import KeyLine
from ..widgets.loss_curve import LossCurve
from ..widgets.numbers_line import NumbersLine
from ..widgets.run_buttons import RunButtons
from ..widgets.settings_form import SettingsForm
from ..widgets.status_line import StatusLine
from ..widgets.stopping_pane import StoppingPane
from ..widgets.telemetry_line import TelemetryLine
from ..words.line import Line

if TYPE_CHECKING:
    from ...core.settings.declaration import Settings
    from ..asking.pending import Pending

Pane = Literal["form", "curve", "log"]
PANES: tuple[Pane, ...] = ("form", "curve", "log")


class MainScreen(Screen[None]):
    """Hands each pane what it draws; knows nothing of journals and engines."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (30, "-narrow"), (65, "-medium"), (100, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (8, "-low"), (20, "-high"), (30, "-tall")]  # noqa: RUF012 - as Textual declares it
    AUTO_FOCUS = "LossCurve"

    def __init__(self) -> None:
        super().__init__()
        self._status: RunStatus | None = None
        self._maximised: Pane | None = None
        self._is_new = True

    def compose(self) -> ComposeResult:
        """Status line, panes, footer; laid out for the terminal's size from the first frame on."""
        self.update_classes(self._breakpoint_classes(self.app.size), update=False)
        yield StatusLine()
        with Horizontal(id="panes"):
            yield SettingsForm()
            with Vertical(id="run"):
                yield LossCurve()
                yield StoppingPane()
                yield RunButtons()
                yield TelemetryLine(in_ascii=lambda: bool(getattr(self.app, "is_ascii", False)))
                yield EventLog()
        yield NumbersLine()
        yield KeyLine()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Not style all widgets anew that have just been styled for the first frame."""
        if self._is_new:
            self._is_new = event.refresh_styles = False

    def _breakpoint_classes(self, size: Size) -> dict[str, bool]:
        """What Textual sets once it has drawn the first frame, too late for that one."""
        classes: dict[str, bool] = {}
        for length, steps in (
            (size.width, self.HORIZONTAL_BREAKPOINTS),
            (size.height, self.VERTICAL_BREAKPOINTS),
        ):
            reached = [name for least, name in steps if length >= least]
            classes |= {name: name == reached[-1] for _, name in steps}
        return classes

    @property
    def form(self) -> SettingsForm:
        """The settings' pane."""
        return self.query_one(SettingsForm)

    @property
    def panes(self) -> tuple[Widget, ...]:
        """The panes that have keys of their own."""
        return self.query_one(LossCurve), self.form, self.query_one(EventLog)

    @property
    def curve(self) -> LossCurve:
        """The loss curve's pane."""
        return self.query_one(LossCurve)

    def show_run(self, run: Run) -> None:
        """Clear all panes for a run."""
        self.query_one(StatusLine).run = run
        self.query_one(StoppingPane).run = run
        self.query_one(EventLog).start_over()
        self.show_telemetry(Telemetry())
        self.show_state(RunState(), [])

    def show_state(self, state: RunState, news: Iterable[Line]) -> None:
        """Draw a new state and tell what is new in it."""
        with self.app.batch_update():
            self.query_one(StatusLine).state = state
            self.query_one(LossCurve).state = state
            self.query_one(StoppingPane).state = state
            self.query_one(RunButtons).state = state
            self.query_one(TelemetryLine).rest(state.paused)
            self.query_one(EventLog).tell(news)
            self.query_one(NumbersLine).show(state, self._status)

    def show_status(self, status: RunStatus | None) -> None:
        """Show whether the run is live."""
        self.query_one(StatusLine).status = status
        self.query_one(LossCurve).status = status
        self.query_one(StoppingPane).status = status
        self._status = status
        self.query_one(NumbersLine).show(self.query_one(StatusLine).state, status)
        self._make_room_for_telemetry()

    def show_pulse(self, pulse: Pulse) -> None:
        """Show how time goes by."""
        with self.app.batch_update():
            self.query_one(StatusLine).pulse = pulse
            self.query_one(StoppingPane).pulse = pulse

    def show_pending(self, pending: Sequence[Pending]) -> None:
        """Show what the engine was asked for and has not done yet."""
        self.query_one(StatusLine).pending = pending

    def withdraw(self, key: str) -> None:
        """Take a line of the event log back."""
        self.query_one(EventLog).withdraw(key)

    def show_stage(self, stage: Stage) -> None:
        """Offer what can be done with a run that stands so, and open or close the form to it."""
        self.query_one(KeyLine).show_stage(stage)
        self.query_one(RunButtons).stage = stage
        self.form.show_stage(stage)

    def show_telemetry(self, telemetry: Telemetry) -> None:
        """Show what the machine is doing."""
        self.query_one(TelemetryLine).show(telemetry)
        self._make_room_for_telemetry()

    def _make_room_for_telemetry(self) -> None:
        """From a run's begin on: with the first sample it would move, and send, all panes."""
        line = self.query_one(TelemetryLine)
        is_live = self._status is not None and self._status.is_live
        line.set_class(is_live or line.is_known, "-known")

    def maximise_or_back(self) -> None:
        """Give the pane in focus all of the screen but its status, or no longer."""
        self._maximise(self._pane_in_focus if self._maximised is None else None)

    def show_settings(self, settings: Settings) -> None:
        """Show a run's settings in the form."""
        self.form.show_run(settings)

    def show_pane(self, pane: Pane) -> None:
        """Bring a pane to the front and give it the focus, before the next key is looked at."""
        if pane != self._maximised:
            self._maximise(None)
        for other in PANES:
            self.set_class(other == pane, f"-show-{other}")
        self.app.stylesheet.update(self)  # a pane that is not displayed yet takes no focus
        match pane:
            case "form":
                self.set_focus(self.form.first_editor())
            case "curve":
                self.set_focus(self.query_one(LossCurve))
            case "log":
                self.set_focus(self.query_one(EventLog))

    @property
    def _pane_in_focus(self) -> Pane:
        if self.form.has_focus_within:
            return "form"
        return "log" if self.query_one(EventLog).has_focus else "curve"

    def _maximise(self, pane: Pane | None) -> None:
        self._maximised = pane
        for other in PANES:
            self.set_class(other == pane, f"-max-{other}")
