"""The curve under the mouse: the wheel zooms and pans, a click reads out, a drag pans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual import events

from ..look import view as views
from ..look.view import Extent, View
from .painted import Painted

if TYPE_CHECKING:
    from ..curve.columns import Columns
    from ..curve.drawing import CurveDrawing

_PAN_SHARE = 0.1


class CurveMouse(Painted):
    """What moves the window of a curve, with the mouse or without."""

    _pressed_at: int | None = None
    _has_dragged = False

    if TYPE_CHECKING:
        view: View

        @property
        def columns(self) -> Columns | None:
            """The epochs to draw."""

        @property
        def drawing(self) -> CurveDrawing:
            """What draws."""

    @property
    def extent(self) -> Extent | None:
        """The whole x axis; None before there is an epoch."""
        if (columns := self.columns) is None:
            return None
        from ..curve.places import places_of

        return places_of(columns, self.view.x_axis).extent

    def zoom(self, steps: int, about: float | None) -> None:
        """Zoom in by steps, or out by negative ones, so that a point keeps its place."""
        if (columns := self.columns) is None or (extent := self.extent) is None:
            return
        narrowest = 2 * (extent[1] - extent[0]) / max(2, len(columns))
        factor = views.ZOOM**steps
        self.view = views.zoomed(self.view, extent, factor, about=about, narrowest=narrowest)

    def pan(self, share: float) -> None:
        """Move the window by a share of its width."""
        if (extent := self.extent) is not None:
            self.view = views.panned(self.view, extent, share)

    def let_stand(self) -> None:
        """Keep the window where it is."""
        if (extent := self.extent) is not None:
            window = views.visible(self.view, extent)
            self.view = replace(self.view, window=window, follows=False)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in at the pointer; with shift pan back."""
        self._turn(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out; with shift pan on."""
        self._turn(event, -1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Pan back."""
        event.stop()
        self.pan(-_PAN_SHARE)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Pan on."""
        event.stop()
        self.pan(_PAN_SHARE)

    def _turn(self, event: events.MouseEvent, steps: int) -> None:
        event.stop()
        if event.shift:
            self.pan(-steps * _PAN_SHARE)
        elif (column := self._column(event)) is not None:
            self.zoom(steps, self.drawing.place_at(column))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Note where a drag would begin."""
        if (column := self._column(event)) is not None:
            self._pressed_at, self._has_dragged = column, False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Pan with the pointer."""
        column = self._column(event)
        if self._pressed_at is None or column is None or column == self._pressed_at:
            return
        self.pan((self._pressed_at - column) / self.drawing.cells_across)
        self._pressed_at, self._has_dragged = column, True

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Read out the epoch under the pointer, unless it was dragged."""
        column, columns = self._column(event), self.columns
        pressed, self._pressed_at = self._pressed_at, None
        self.release_mouse()
        if pressed is None or self._has_dragged or column is None or columns is None:
            return
        epoch = self.drawing.epoch_at(columns, self.view, column)
        self.view = views.with_cursor(self.view, epoch)

    def _column(self, event: events.MouseEvent) -> int | None:
        """The cell of the content that the pointer is in, or beside; None without a picture."""
        if self.columns is None or not self.drawing.has_picture:
            return None
        return event.x - self.gutter.left
