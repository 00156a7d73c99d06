"""Runs side by side: their curves in one picture over the table of what differs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from ...core.run.comparison import MOST_RUNS, compare
from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..comparing.compared import compared_run
from ..comparing.table import labels_of
from ..curve.marks import marks_of
from ..curve.overlay import Overlaid, fitting_scale
from ..curve.places import measured_axes
from ..following.messages import RecordsArrived, StatusChanged
from ..following.state import RunState, reduce
from ..keys import COMPARISON_KEYS, bindings
from ..look import view as views
from ..look.palette import Palette
from ..look.view import View, XAxis
from ..widgets.comparison_table import ComparisonTable
from ..widgets.key_line import KeyLine
from ..widgets.overlay_curve import OverlayCurve
from ..widgets.pace import Pace

if TYPE_CHECKING:
    from ..following.follower import Follower

# Live runs are drawn about three times a second.
_SECONDS_BETWEEN_DRAWINGS = 0.33
# The fewest lines in which there is a picture, and a few of the table with it.
_LINES_OF_CURVE, _LINES_OF_TABLE = 7, 3


class ComparisonScreen(ModalScreen[None]):
    """Follows the runs by itself, live ones as well, until it is left.

    Args:
        directory: where other runs are found.
        runs: what is compared at first.
        palette: colours and characters.
    """

    DEFAULT_CSS = "ComparisonScreen { layout: vertical; background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = bindings(COMPARISON_KEYS)

    def __init__(self, directory: Path, runs: Sequence[Run], palette: Palette) -> None:
        super().__init__()
        self._directory = directory
        self._palette = palette
        self._states = {run: RunState() for run in runs}
        self._statuses = {run: RunStatus("starting") for run in runs}
        self._followers: list[Follower] = []
        self._view = View()
        self._chose_scale = False
        self._pace = Pace(self, self._draw)

    def compose(self) -> ComposeResult:
        """The curves, the table, the keys."""
        yield OverlayCurve()
        yield ComparisonTable()
        yield KeyLine()

    def on_mount(self) -> None:
        """Follow the runs."""
        for run in self._states:
            self._follow(run)
        self._pace.draw_now()

    def on_unmount(self) -> None:
        """Let the followers end before the screen does."""
        for follower in self._followers:
            follower.stop()

    def on_resize(self, event: events.Resize) -> None:
        """Share the lines anew."""
        del event
        self._share_lines()

    def on_records_arrived(self, message: RecordsArrived) -> None:
        """Go on with a run; the app, which may follow it as well, has messages of its own."""
        message.stop()
        before = RunState() if message.starts_over else self._states[message.run]
        state = replace(reduce(before, message.events), loading=message.loading)
        self._states[message.run] = state
        self._draw_soon()

    def on_status_changed(self, message: StatusChanged) -> None:
        """Show how a run stands."""
        message.stop()
        self._statuses[message.run] = message.status
        self._draw_soon()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether one more run can be told apart."""
        del parameters
        return action != "add_run" or len(self._states) < MOST_RUNS

    def action_add_run(self) -> None:
        """Choose one more run."""
        from .run_chooser import RunChooser

        self.app.push_screen(RunChooser(self._directory, self._states.keys()), self._add)

    def action_other_scale(self) -> None:
        """Logarithmic y axis, and back."""
        self._view, self._chose_scale = views.other_scale(self._view), True
        self._pace.draw_now()

    def action_next_x_axis(self) -> None:
        """Epochs, steps, time."""
        self._view = views.next_x_axis(self._view, self._measured_axes)
        self._pace.draw_now()

    def action_other_clipping(self) -> None:
        """Draw outliers at the edge, or where they are."""
        self._view = views.other_clipping(self._view)
        self._pace.draw_now()

    def action_move(self, by: int) -> None:
        """Scroll the table."""
        self.query_one(ComparisonTable).move(by)

    @property
    def _measured_axes(self) -> tuple[XAxis, ...]:
        return measured_axes(state.history for state in self._states.values())

    def _add(self, run: Run | None) -> None:
        if run is not None and run not in self._states:
            self._states[run], self._statuses[run] = RunState(), RunStatus("starting")
            self._follow(run)
            self._pace.draw_now()
            self.refresh_bindings()

    def _follow(self, run: Run) -> None:
        from ..following.follower import Follower

        follower = Follower(run, self.post_message)
        self._followers.append(follower)
        follower.start()

    def _draw_soon(self) -> None:
        self._pace.draw_soon(_SECONDS_BETWEEN_DRAWINGS)

    def _draw(self) -> None:
        runs = list(self._states)
        labels = labels_of([run.name for run in runs], [run.label for run in runs])
        curves = [
            Overlaid(_with_loading(label, state), state.history, marks_of(state))
            for label, state in zip(labels, self._states.values(), strict=True)
        ]
        if not self._chose_scale:
            self._view = replace(self._view, scale=fitting_scale(curves))
        comparison = compare(
            [compared_run(run, self._states[run], self._statuses[run]) for run in runs]
        )
        with self.app.batch_update():
            self.query_one(ComparisonTable).show(comparison, labels, self._palette)
            self._share_lines()
            self.query_one(OverlayCurve).show(curves, self._view, self._palette)

    def _share_lines(self) -> None:
        """Give the table what it needs, as far as it leaves a picture to the curves."""
        table, size = self.query_one(ComparisonTable), self.app.size
        room = size.height - 1
        most = min(room * 11 // 20, room - _LINES_OF_CURVE)
        height = min(table.height_wanted(size.width), most) if most >= _LINES_OF_TABLE else room
        if table.styles.height is None or table.styles.height.value != height:
            table.styles.height = height


def _with_loading(label: str, state: RunState) -> str:
    return label if state.loading is None else f"{label} ({state.loading:.0%} read)"
