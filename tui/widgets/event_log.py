"""The event log: what matters of a run, in words, as it happens."""

from collections import deque
from collections.abc import Iterable

from rich.text import Text
from textual import events
from textual.widgets import RichLog

from .. import wording
from ..narration import Line, Severity

_MAX_LINES = 2000
_SIGNS: dict[Severity, tuple[str, str]] = {
    "plain": ("  ", ""),
    "good": ("+ ", "green"),
    "warning": ("! ", "yellow"),
    "bad": ("x ", "bold red"),
}


class EventLog(RichLog):
    """Scrolls with what comes until somebody scrolls back; long lines wrap, on resize anew."""

    DEFAULT_CSS = """
    EventLog {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        background: $background;
        scrollbar-size-vertical: 1;
        &:focus { border: round $accent; background-tint: $foreground 0%; }
    }
    """

    def __init__(self) -> None:
        super().__init__(
            wrap=True, markup=False, highlight=False, min_width=1, max_lines=_MAX_LINES
        )
        self.border_title = "Events"
        self._kept: deque[Line] = deque(maxlen=_MAX_LINES)
        self._wrapped_at = 0

    def start_over(self) -> None:
        """Forget the lines of another run."""
        self._kept.clear()
        self.clear()

    def tell(self, lines: Iterable[Line]) -> None:
        """Add lines at the end."""
        for line in lines:
            self._kept.append(line)
            if self._wrapped_at:
                self._write(line)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines at the new width, once the pane has one."""
        del event
        width = self.scrollable_content_region.width
        if width and width != self._wrapped_at:
            self._wrapped_at = width
            self.call_later(self._wrap_again)

    def _wrap_again(self) -> None:
        self.clear()
        for line in self._kept:
            self._write(line)

    def _write(self, line: Line) -> None:
        clock = f"{wording.date_text(line.time)[-8:]} "
        sign, style = _SIGNS[line.severity]
        text = Text.assemble((clock, "dim"), (sign + wording.printable(line.text), style))
        self.write(text, width=self._wrapped_at, scroll_end=self.is_vertical_scroll_end)
