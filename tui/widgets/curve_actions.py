"""What the keys do to the curve: each changes the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.message import Message

from ..following.state import RunState
from ..keys import CURVE_KEYS, bindings
from ..look import view as views
from ..look.view import View
from .curve_mouse import CurveMouse

if TYPE_CHECKING:
    from ..curve.columns import Columns
    from ..curve.drawing import CurveDrawing


class CurveActions(CurveMouse):
    """The actions of the curve's keys."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(CURVE_KEYS)

    class NotMeasured(Message):
        """Somebody wanted to see a series that the run does not have."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    if TYPE_CHECKING:

        @property
        def state(self) -> RunState:
            """What is drawn."""

        @state.setter
        def state(self, state: RunState) -> None: ...

    def action_other_scale(self) -> None:
        """Logarithmic y axis, and back."""
        self.view = views.other_scale(self.view)

    def action_next_x_axis(self) -> None:
        """Epochs, steps, time."""
        columns = self.columns
        if columns is None:
            new = views.next_x_axis(self.view, views.X_AXES)
        else:
            from ..curve.places import carried_over, measured_axes

            new = views.next_x_axis(self.view, measured_axes([columns]))
            window = carried_over(self.view.window, columns, self.view.x_axis, new.x_axis)
            new = replace(new, window=window, follows=new.follows and window is not None)
        self.view = new

    def action_zoom(self, steps: int) -> None:
        """Zoom about the cursor, or towards the tail."""
        if (columns := self.columns) is None:
            return
        from ..curve.places import place_of_epoch

        cursor = self.view.cursor
        about = None if cursor is None else place_of_epoch(columns, self.view.x_axis, cursor)
        self.zoom(steps, about)

    def action_pan(self, direction: int) -> None:
        """Move the window by a quarter."""
        self.pan(direction * 0.25)

    def action_follow(self) -> None:
        """Follow the tail, or let the window stand."""
        if self.view.follows:
            self.let_stand()
        elif (extent := self.extent) is not None:
            self.view = views.following(self.view, extent)

    def action_whole(self) -> None:
        """Show the whole history."""
        self.view = views.whole(self.view)

    def action_smooth(self, steps: int) -> None:
        """More smoothing, or less."""
        self.view = views.smoothed_by(self.view, steps)

    def action_other_clipping(self) -> None:
        """Draw outliers at the edge, or where they are."""
        self.view = views.other_clipping(self.view)

    def action_show(self, name: str) -> None:
        """Show or hide one of the losses, or say that there is no such."""
        if (columns := self.columns) is None or views.is_measured(name, columns.names):
            self.view = views.toggled(self.view, name)
        else:
            self.post_message(self.NotMeasured(name))

    def action_next_right(self) -> None:
        """Show the next series on the right-hand axis."""
        if (columns := self.columns) is not None:
            self.view = views.next_right(self.view, columns.names)

    def action_reset(self) -> None:
        """Look at the curve as at first."""
        self.view = View()

    def action_move_cursor(self, direction: int) -> None:
        """Move the cursor by an epoch, or by a column where that holds several."""
        self._read(lambda columns, drawing: drawing.moved(columns, self.view, direction))

    def action_first_epoch(self) -> None:
        """Read out the first epoch."""
        self._read(lambda columns, _: int(columns.epochs[0]))

    def action_last_epoch(self) -> None:
        """Read out the last epoch."""
        self._read(lambda columns, _: int(columns.epochs[-1]))

    def action_best_epoch(self) -> None:
        """Read out the best epoch."""
        stopping = self.state.stopping
        best = stopping.lowest_epoch if stopping else None
        self._read(lambda *_: best)

    def action_hide_cursor(self) -> None:
        """Hide the cursor; without one the key is the app's."""
        if self.view.cursor is None:
            raise SkipAction
        self.view = views.with_cursor(self.view, None)

    def _read(self, choose: Callable[[Columns, CurveDrawing], int | None]) -> None:
        """Put the cursor to an epoch, and the window around it."""
        if (columns := self.columns) is None:
            return
        epoch = choose(columns, self.drawing)
        if epoch is not None:
            self.view = self.drawing.around_cursor(columns, views.with_cursor(self.view, epoch))
