"""The loss curve's pane: when it draws, and what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.message import Message
from textual.strip import Strip

from ...core.run.status import RunStatus
from ..following.state import RunState
from ..look import view as views
from ..look.palette import DARK, Palette
from ..look.view import View
from ..words import wording
from ..words.wrapping import wrapped
from .curve_actions import CurveActions
from .pace import Pace
from .painted import text_strips
from .role_strips import role_strip

if TYPE_CHECKING:
    from ..curve.columns import Columns
    from ..curve.drawing import CurveDrawing

# New epochs are drawn about three times a second, keys at once but those that come together.
_SECONDS_BETWEEN_DATA = 0.33
_SECONDS_BETWEEN_KEYS = 0.03


class LossCurve(CurveActions, can_focus=True):
    """Draws the series of a run over its epochs, as its view says."""

    DEFAULT_CSS = """
    LossCurve {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        &:focus { border: round $accent; }
    }
    """

    class ViewChanged(Message):
        """The person looks at the curve in another way."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id, classes=classes)
        self.border_title = "Loss"
        self._state = RunState()
        self._status: RunStatus | None = None
        self._view = View()
        self._palette = DARK
        self._drawing: CurveDrawing | None = None
        self._pace = Pace(self, self.repaint)

    @property
    def state(self) -> RunState:
        """What is drawn."""
        return self._state

    @state.setter
    def state(self, state: RunState) -> None:
        if state is not self._state:
            was_empty, self._state = not len(self._state.history), state
            if not was_empty and not len(state.history):
                self.view = views.whole(views.with_cursor(self._view, None))  # it is another run
            self._draw_soon(0.0 if was_empty else _SECONDS_BETWEEN_DATA)

    @property
    def status(self) -> RunStatus | None:
        """Whether the run is live, for what is said while there is no epoch."""
        return self._status

    @status.setter
    def status(self, status: RunStatus | None) -> None:
        self._status = status
        if self.columns is None:
            self._draw_soon(0.0)

    @property
    def view(self) -> View:
        """How the curve is looked at."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        if view != self._view:
            self._view = view
            self._draw_soon(_SECONDS_BETWEEN_KEYS)
            self.post_message(self.ViewChanged(view))

    @property
    def palette(self) -> Palette:
        """Colours and characters."""
        return self._palette

    @palette.setter
    def palette(self, palette: Palette) -> None:
        if palette != self._palette:
            self._palette = palette
            self._draw_soon(0.0)

    @property
    def columns(self) -> Columns | None:
        """The epochs to draw; None before there is one."""
        history = self._state.history
        return history if len(history) else None

    @property
    def drawing(self) -> CurveDrawing:
        """What draws; plotext and numpy wait for the first epoch."""
        if self._drawing is None:
            from ..curve.drawing import CurveDrawing

            self._drawing = CurveDrawing()
        return self._drawing

    def paint(self, width: int, height: int) -> list[Strip]:
        """The picture under its legend, or a sentence where there is nothing to draw."""
        columns = self.columns
        if columns is None:
            rows = wrapped(_nothing_yet(self._status), width, indent="")
            return text_strips(Text("\n".join(rows)), width)
        view = self._view_of(columns)
        lines = self.drawing.lines(columns, self._state, view, (width, height), self._palette)
        if lines is None:
            return text_strips(Text("\n".join(_numbers(self._state))), width)
        return [role_strip(line, self._palette) for line in lines]

    def _view_of(self, columns: Columns) -> View:
        """How these epochs can be looked at: the view may have been chosen for another run."""
        from ..curve.places import measured_axes

        return views.of_what_is_measured(self._view, columns.names, measured_axes([columns]))

    def _draw_soon(self, seconds_between: float) -> None:
        if self.is_mounted:
            self._pace.draw_soon(seconds_between)


def _nothing_yet(status: RunStatus | None) -> str:
    if status is None:
        return (
            "\nNo run yet.\n\nPress s to start one with the settings of the form, e to edit them."
        )
    if status.is_live:
        return "\nThe engine is loading torch and the data ..."
    return "\nThe run ended before its first epoch was complete; the event log says why."


def _numbers(state: RunState) -> list[str]:
    """What matters of the curve where there is no room for one."""
    last, stopping = state.last_epoch, state.stopping
    if last is None or stopping is None:
        return []
    return [
        f"epoch {last.epoch} train {wording.loss_text(last.train_loss)}",
        f"val {wording.loss_text(last.val_loss)}",
        f"best {wording.loss_text(stopping.lowest_loss)} at {stopping.lowest_epoch}",
    ]
