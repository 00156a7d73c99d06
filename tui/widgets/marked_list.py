"""A list with one marked line, which it scrolls with; the last line counts those out of sight."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.strip import Strip

from .painted import Painted, text_strip

T = TypeVar("T")


class MarkedList(Painted, Generic[T]):
    """Shows as many items as it has lines; keys are handed on by who holds it."""

    MARKED: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._items: Sequence[T] = ()
        self._at = 0

    @abstractmethod
    def line(self, item: T, width: int, style: Style | None) -> Text:
        """An item in a line, in a style where it is marked."""

    @abstractmethod
    def take(self, item: T) -> None:
        """Tell that somebody took an item with the mouse."""

    def move(self, by: int) -> None:
        """Mark another one."""
        self._at = max(0, min(len(self._items) - 1, self._at + by))
        self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The items around the marked one, and how many there are if not all are seen."""
        marked = self.get_component_rich_style(self.MARKED, partial=True)
        strips = [
            text_strip(self.line(item, width, marked if number == self._at else None), width)
            for number, item in self._window(height)
        ]
        if len(self._items) > height:
            rest = f"{self._at + 1} of {len(self._items)}"
            strips.append(text_strip(Text(rest.rjust(width - 1), "dim"), width))
        return strips

    def on_click(self, event: events.Click) -> None:
        """Take the item under the pointer."""
        event.stop()
        window = self._window(self.size.height)
        if 0 <= event.y < len(window):
            self.take(window[event.y][1])

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Mark the next one."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Mark the one before."""
        event.stop()
        self.move(-1)

    def _window(self, height: int) -> list[tuple[int, T]]:
        """Those in sight with their numbers; where not all are, the last line counts them."""
        shown = height if len(self._items) <= height else max(1, height - 1)
        first = max(0, min(self._at - shown // 2, len(self._items) - shown))
        return list(enumerate(self._items))[first : first + shown]
