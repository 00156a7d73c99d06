"""The three panes, and the line over them."""

from collections.abc import Iterable
from typing import Literal

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer

from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ...core.settings.declaration import Settings
from ..narration import Line
from ..state import RunState
from ..widgets.event_log import EventLog
from ..widgets.loss_curve import LossCurve
from ..widgets.settings_form import SettingsForm
from ..widgets.status_line import StatusLine
from ..widgets.stopping_line import StoppingLine

Pane = Literal["form", "curve", "log"]


class MainScreen(Screen[None]):
    """Hands each pane what it draws; knows nothing of journals and engines."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-medium"), (100, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012 - as Textual declares it
    AUTO_FOCUS = "LossCurve"

    def compose(self) -> ComposeResult:
        """Status line, panes, footer."""
        yield StatusLine()
        with Horizontal(id="panes"):
            yield SettingsForm()
            with Vertical(id="run"):
                yield LossCurve()
                yield StoppingLine()
                yield EventLog()
        yield Footer(show_command_palette=False)

    @property
    def form(self) -> SettingsForm:
        """The settings' pane."""
        return self.query_one(SettingsForm)

    def show_run(self, run: Run) -> None:
        """Clear all panes for a run."""
        self.query_one(StatusLine).run = run
        self.query_one(EventLog).start_over()
        self.show_state(RunState(), [])

    def show_state(self, state: RunState, news: Iterable[Line]) -> None:
        """Draw a new state and tell what is new in it."""
        with self.app.batch_update():
            self.query_one(StatusLine).state = state
            self.query_one(LossCurve).state = state
            self.query_one(StoppingLine).state = state
            self.query_one(EventLog).tell(news)

    def show_status(self, status: RunStatus | None) -> None:
        """Show whether the run is live, and open or close the form to it."""
        self.query_one(StatusLine).status = status
        self.query_one(LossCurve).status = status
        self.form.set_live(status is not None and status.is_live)

    def show_settings(self, settings: Settings) -> None:
        """Show a run's settings in the form."""
        self.form.show_run(settings)

    def show_pane(self, pane: Pane) -> None:
        """Bring a pane to the front and give it the focus, before the next key is looked at."""
        for other in ("form", "curve", "log"):
            self.set_class(other == pane, f"-show-{other}")
        self.app.stylesheet.update(self)  # a pane that is not displayed yet takes no focus
        match pane:
            case "form":
                self.set_focus(self.form.first_editor())
            case "curve":
                self.set_focus(self.query_one(LossCurve))
            case "log":
                self.set_focus(self.query_one(EventLog))
