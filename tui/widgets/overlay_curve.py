"""The curves of several runs, in one pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.strip import Strip

from ..look.palette import DARK, Palette
from ..look.view import View
from ..words.wrapping import wrapped
from .painted import Painted, text_strips
from .role_strips import role_strip

if TYPE_CHECKING:
    from ..curve.overlay import Overlaid
    from ..curve.overlay_drawing import OverlayDrawing

_NOTHING_YET = "\nNone of these runs has completed an epoch yet."


class OverlayCurve(Painted):
    """Draws what it was last shown."""

    DEFAULT_CSS = "OverlayCurve { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._runs: Sequence[Overlaid] = ()
        self._view = View()
        self._palette = DARK
        self._drawing: OverlayDrawing | None = None

    def show(self, runs: Sequence[Overlaid], view: View, palette: Palette) -> None:
        """Draw these runs."""
        self._runs, self._view, self._palette = runs, view, palette
        self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The picture under its legend; nothing where there is no room for one."""
        if not any(len(run.history) for run in self._runs):
            rows = wrapped(_NOTHING_YET if self._runs else "", width, indent="")
            return text_strips(Text("\n".join(rows)), width)
        if self._drawing is None:
            from ..curve.overlay_drawing import OverlayDrawing

            self._drawing = OverlayDrawing()
        lines = self._drawing.lines(self._runs, self._view, (width, height), self._palette)
        return [role_strip(line, self._palette) for line in lines or ()]
