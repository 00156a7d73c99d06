"""The event log: what matters of a run, in words, as it happens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from ..words import wording
from ..words.line import Line, Severity
from ..words.wrapping import wrapped
from .painted import Painted, text_strip

MAX_LINES = 2000
# So many at once, or each line that comes to a full log would have all of them counted anew.
_LINES_DROPPED = 200
# A line that changes is one of the newest.
_LINES_THAT_CHANGE = 50
_ROWS_A_WHEEL_STEP = 3
_WIDTH_FOR_SECONDS = 50
SIGNS: dict[Severity, tuple[str, str]] = {
    "plain": ("  ", ""),
    "good": ("+ ", "green"),
    "warning": ("! ", "yellow"),
    "bad": ("x ", "bold red"),
}

# A row on the screen: a line of the log, and which of its wrapped rows.
Row = tuple[int, int]


class EventLog(Painted, can_focus=True):
    """Shows the newest lines until somebody scrolls back, and then stays where it is."""

    DEFAULT_CSS = """
    EventLog {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        &:focus { border: round $accent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_rows(-1)", show=False),
        Binding("down", "scroll_rows(1)", show=False),
        Binding("pageup", "scroll_pages(-1)", show=False),
        Binding("pagedown", "scroll_pages(1)", show=False),
        Binding("home", "scroll_to_start", show=False),
        Binding("end", "scroll_to_end", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Events"
        self.lines: list[Line] = []
        self._wrapped: list[list[str]] = []
        self._wrapped_at = 0
        self._top: Row | None = None  # None: the newest lines are shown
        self._told_since = 0

    def start_over(self) -> None:
        """Forget the lines of another run."""
        self.lines.clear()
        self._wrapped.clear()
        self.action_scroll_to_end()

    def tell(self, lines: Iterable[Line]) -> None:
        """Add lines at the end; one with the key of another one takes its place."""
        for line in lines:
            at = self._place_of(line.key)
            if at is None:
                self.lines.append(line)
                self._wrapped.append(self._wrap(line))
                self._told_since += self._top is not None
            else:
                self.lines[at], self._wrapped[at] = line, self._wrap(line)
        self._drop_oldest()
        self.repaint()

    def withdraw(self, key: str) -> None:
        """Take a line back that has come to nothing."""
        at = self._place_of(key)
        if at is None:
            return
        self._told_since -= at >= len(self.lines) - self._told_since
        del self.lines[at], self._wrapped[at]
        if self._top is not None and at <= self._top[0]:  # what one reads stays where it is
            line, row = self._top
            self._top = (line - 1, row) if at < line else (line, 0)
        self.repaint()

    @property
    def plain_lines(self) -> list[str]:
        """All lines, as they are told before they are wrapped."""
        return [_clock(line) + SIGNS[line.severity][0] + _words(line) for line in self.lines]

    def paint(self, width: int, height: int) -> list[Strip]:
        """The rows from where one has scrolled to, or the last ones."""
        if width != self._wrapped_at:
            self._wrapped_at = width
            self._wrapped = [self._wrap(line) for line in self.lines]
        if self._top is None:
            return [self._strip(row, width) for row in self._rows_before_end(height)]
        rows = self._rows_from(self._top, height)
        strips = [self._strip(row, width) for row in rows[: height - 1]]
        return [*strips, text_strip(self._sign_of_more(), width)]

    def action_scroll_rows(self, rows: int) -> None:
        """Go so many rows down, or up if negative."""
        height = self.size.height
        top = self._top or next(iter(self._rows_before_end(height)), (0, 0))
        self._top = self._moved(top, rows)
        # the last row holds the sign: the end is reached when what is below fits in its place
        if len(self._rows_from(self._top, height + 1)) <= height:
            self._top = None
        self._told_since = self._told_since if self._top else 0
        self.repaint()

    def action_scroll_pages(self, pages: int) -> None:
        """Go so many pages down, or up if negative."""
        self.action_scroll_rows(pages * max(1, self.size.height - 2))

    def action_scroll_to_start(self) -> None:
        """Go to the first line."""
        self.action_scroll_rows(-sum(map(len, self._wrapped)))

    def action_scroll_to_end(self) -> None:
        """Go to the last line and follow what comes."""
        self._top, self._told_since = None, 0
        self.repaint()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back."""
        event.stop()
        self.action_scroll_rows(-_ROWS_A_WHEEL_STEP)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll on."""
        event.stop()
        self.action_scroll_rows(_ROWS_A_WHEEL_STEP)

    def _place_of(self, key: str | None) -> int | None:
        if key is None:
            return None
        start = max(0, len(self.lines) - _LINES_THAT_CHANGE)
        places = (at for at in range(len(self.lines) - 1, start - 1, -1))
        return next((at for at in places if self.lines[at].key == key), None)

    def _drop_oldest(self) -> None:
        if len(self.lines) <= MAX_LINES:
            return
        dropped = len(self.lines) - MAX_LINES + _LINES_DROPPED
        del self.lines[:dropped], self._wrapped[:dropped]
        if self._top is not None:
            line, row = self._top
            self._top = (line - dropped, row) if line >= dropped else (0, 0)

    def _wrap(self, line: Line) -> list[str]:
        if not self._wrapped_at:
            return [""]
        indent = len(self._clock(line)) + 2
        return wrapped(_words(line), self._wrapped_at - indent, indent * " ")

    def _clock(self, line: Line) -> str:
        """The line's time of day, to the minute where every cell counts."""
        clock = _clock(line)
        return clock if self._wrapped_at >= _WIDTH_FOR_SECONDS else clock[:-4] + " "

    def _rows_from(self, top: Row, count: int) -> list[Row]:
        rows: list[Row] = []
        line, first = top
        while line < len(self._wrapped) and len(rows) < count:
            rows += [(line, row) for row in range(first, len(self._wrapped[line]))]
            line, first = line + 1, 0
        return rows[:count]

    def _rows_before_end(self, count: int) -> list[Row]:
        rows: list[Row] = []
        line = len(self._wrapped) - 1
        while line >= 0 and len(rows) < count:
            rows[:0] = [(line, row) for row in range(len(self._wrapped[line]))]
            line -= 1
        return rows[-count:] if count else []

    def _moved(self, row: Row, by: int) -> Row:
        """A row so many rows farther on; the first one at the most."""
        line, within = row
        within += by
        while within < 0 and line > 0:
            line -= 1
            within += len(self._wrapped[line])
        while line < len(self._wrapped) - 1 and within >= len(self._wrapped[line]):
            within -= len(self._wrapped[line])
            line += 1
        return line, max(0, within)

    def _strip(self, row: Row, width: int) -> Strip:
        line, within = self.lines[row[0]], row[1]
        sign, style = SIGNS[line.severity]
        words = self._wrapped[row[0]][within]
        if within:
            return text_strip(Text(words, style), width)
        return text_strip(Text.assemble((self._clock(line), "dim"), (sign + words, style)), width)

    def _sign_of_more(self) -> Text:
        if self._told_since:
            return Text(f"↓ {self._told_since:,} new below; end shows the newest", "reverse")
        return Text("↓ more below; end shows the newest", "dim reverse")


def _clock(line: Line) -> str:
    return f"{wording.date_text(line.time)[-8:]} "


def _words(line: Line) -> str:
    return wording.printable(line.text)
