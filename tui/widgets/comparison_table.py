"""The table of a comparison, which scrolls where it has more lines than room."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.strip import Strip

from ...core.run.comparison import Comparison
from ..comparing.table import Words, comparison_lines
from ..look.palette import DARK, Palette
from .painted import Painted
from .role_strips import role_strip


class ComparisonTable(Painted):
    """Draws what it was last shown."""

    DEFAULT_CSS = "ComparisonTable { height: 10; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._comparison: Comparison | None = None
        self._labels: Sequence[str] = ()
        self._palette = DARK
        self._top = 0

    def show(self, comparison: Comparison, labels: Sequence[str], palette: Palette) -> None:
        """Draw a comparison."""
        self._comparison, self._labels, self._palette = comparison, labels, palette
        self.repaint()

    def height_wanted(self, width: int) -> int:
        """The lines of the whole table in so many cells."""
        return len(self._lines(width - self.gutter.width))

    def move(self, by: int) -> None:
        """Scroll by so many lines."""
        self._top += by
        self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The lines in sight; if not all are, the last line says so."""
        lines = self._lines(width)
        if len(lines) <= height:
            self._top = 0
            return [role_strip(line, self._palette) for line in lines]
        shown = max(1, height - 1)
        self._top = max(0, min(self._top, len(lines) - shown))
        last = self._top + shown
        where = f"lines {self._top + 1} to {last} of {len(lines)}: up, down"
        in_sight: list[Words] = [*lines[self._top : last], [(where, "note")]]
        return [role_strip(line, self._palette) for line in in_sight]

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll on."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back."""
        event.stop()
        self.move(-1)

    def _lines(self, width: int) -> list[Words]:
        if self._comparison is None:
            return []
        return comparison_lines(self._comparison, self._labels, width)
