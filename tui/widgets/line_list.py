"""Lines of a form, drawn by one widget: a cursor, one field of text, one list of choices.

A widget a setting costs half a second before the first frame and a tenth at every tab.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ..form.outline import Line
from .choice_list import ChoiceList
from .line_text import VALUE_AT, line_text, room_for_value
from .painted import Painted, text_strip

if TYPE_CHECKING:
    from .row_editor import RowEditor

_COMPONENTS = ("label", "cursor", "section", "value", "quiet", "wrong", "pending")


class LineList(Painted, can_focus=True):
    """Shows lines and has a cursor; the field of text and the choices go where it goes."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {f"line-list--{name}" for name in _COMPONENTS}  # noqa: RUF012 - as Textual declares it
    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        & > .line-list--label { text-style: dim; }
        & > .line-list--cursor { color: $text-accent; text-style: bold reverse; }
        & > .line-list--section { color: $text-accent; text-style: bold; }
        & > .line-list--value { color: $foreground; }
        & > .line-list--quiet { text-style: dim; }
        & > .line-list--wrong { color: $text-error; }
        & > .line-list--pending { color: $text-warning; text-style: bold; }
    }
    """

    class Moved(Message):
        """The cursor is on another line."""

    def __init__(self) -> None:
        super().__init__(id="rows")
        self._lines: Sequence[Line] = ()
        self._at = 0
        self._top = 0
        self._editor: RowEditor | None = None
        self._choices: ChoiceList | None = None

    @property
    def line(self) -> Line:
        """The line that the cursor is on."""
        return self._lines[self._at]

    def show(self, lines: Sequence[Line]) -> None:
        """Draw other lines; the cursor stays on its setting."""
        before = self.line.key if self._lines else ""
        self._lines = lines
        self._at = self._index(before)
        if self._editor is not None and self.line.kind == "text":
            self._editor.follow(self.line.text)
        self._settle()

    def go_to(self, key: str) -> Widget:
        """Move the cursor to a line; what has to have the focus there."""
        self._close_choices()
        self._at = self._index(key)
        self.scroll_to_cursor()
        self._settle()
        self.post_message(self.Moved())
        return self._focus_target()

    def step(self, by: Literal[1, -1]) -> bool:
        """Move to the next line that takes the focus; false where there is none."""
        number = self._at + by
        while 0 <= number < len(self._lines) and not self._lines[number].takes_focus:
            number += by
        if not 0 <= number < len(self._lines):
            return False
        self._move_to(number)
        return True

    def scroll_to_cursor(self) -> None:
        """Scroll as far as the cursor's line needs, and what is wrong with it."""
        height = self.size.height
        if not height:
            return
        last = self._at
        while last + 1 < len(self._lines) and self._lines[last + 1].kind == "note":
            last += 1
        first = self._at - (self._at > 0 and self._lines[self._at - 1].kind == "fold")
        self._top = max(min(self._top, first), min(last - height + 1, self._at))
        self._top = max(0, min(self._top, len(self._lines) - height))

    def paint(self, width: int, height: int) -> list[Strip]:
        """The lines in sight, and on the right where among all they are."""
        styles = {
            name: self.get_component_rich_style(f"line-list--{name}", partial=True)
            for name in _COMPONENTS
        }
        shown = self._lines[self._top : self._top + height]
        has_more = len(self._lines) > height
        strips = []
        for number, line in enumerate(shown):
            is_at = self._top + number == self._at and self.has_focus_within
            text = line_text(line, width - 1, styles, is_at=is_at)
            if has_more and self._is_thumb(number, height):
                text.append("┃", styles["quiet"])
            strips.append(text_strip(text, width))
        return strips

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in sight."""
        top = self._top
        self.scroll_to_cursor()
        super().on_resize(event)
        self._place()
        if self._top != top:
            self.repaint()

    def on_focus(self) -> None:
        """Hand the focus on to the field of text, where the cursor is on one."""
        self._focus_line()

    def on_descendant_focus(self) -> None:
        """Show the cursor."""
        self.repaint()

    def on_blur(self) -> None:
        """Show no cursor and no choices while something else has the focus."""
        if not self.has_focus_within:
            self._close_choices()
        self.repaint()

    def on_descendant_blur(self) -> None:
        """The same, when the field of text has lost it."""
        self.on_blur()

    def _move_by(self, count: int) -> None:
        number = max(0, min(len(self._lines) - 1, self._at + count))
        while not self._lines[number].takes_focus:
            number -= 1
        self._move_to(number)

    def _move_to(self, number: int) -> None:
        self.go_to(self._lines[number].key)
        self._focus_line()

    def _index(self, key: str) -> int:
        """Where a line is; for one that is folded away, the nearest that stands before it."""
        keys = [line.key for line in self._lines]
        if key in keys:
            return keys.index(key)
        return min(self._at, len(keys) - 1) if keys else 0

    def _focus_target(self) -> Widget:
        editor = self._editor
        is_text = self.line.kind == "text" and self.line.is_editable
        return editor if is_text and editor is not None else self

    def _focus_line(self) -> None:
        self.screen.set_focus(self._focus_target(), scroll_visible=False)
        self.repaint()

    def _settle(self) -> None:
        """Bring the field of text to the cursor's line, or away, and draw."""
        line = self.line
        is_text = line.kind == "text" and line.is_editable
        if is_text:
            editor = self._mounted_editor()
            if editor.key != line.key:
                editor.edit(line.key, line.text)
        if self._editor is not None:
            had_focus = self._editor.has_focus
            self._editor.set_class(not is_text, "-away")
            if had_focus and not is_text:
                self._editor.key = ""
                self.screen.set_focus(self, scroll_visible=False)
            elif is_text and self.has_focus:
                self.screen.set_focus(self._editor, scroll_visible=False)
        self._top = max(0, min(self._top, len(self._lines) - max(1, self.size.height)))
        self._place()
        self.repaint()

    def _mounted_editor(self) -> RowEditor:
        from .row_editor import RowEditor  # not before the first frame

        if self._editor is None:
            self._editor = RowEditor()
            self.mount(self._editor)
        return self._editor

    def _place(self) -> None:
        if self._editor is not None:
            self._editor.styles.offset = (VALUE_AT, self._at - self._top)
            self._editor.styles.width = max(1, room_for_value(self.line, self.size.width - 1))

    def _open_choices(self, choices: Sequence[str], marked: str = "") -> None:
        if not self.is_attached:
            return  # an answer that comes when the screen is being left
        if self._choices is None:
            self._choices = ChoiceList()
            self.mount(self._choices)
        self._choices.open(choices, marked)
        if choices:
            self._place_choices(self._choices, max(map(len, choices)))

    def _place_choices(self, choices: ChoiceList, longest: int) -> None:
        """Below the line, or above it where there is no room."""
        here = self.content_region.offset + Offset(VALUE_AT, self._at - self._top)
        screen, height = self.screen.size, choices.height_wanted
        width = min(max(longest + 2, self.size.width - VALUE_AT), screen.width)
        below = here.y + 1 + height <= screen.height - 1
        x = min(here.x, screen.width - width)
        choices.styles.width = width
        choices.styles.offset = (
            x - self.content_region.x,
            self._at - self._top + (1 if below else -height),
        )

    def _close_choices(self) -> None:
        if self._choices is not None:
            self._choices.close()

    def _scroll(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        self._close_choices()
        self._top = max(0, min(self._top + by, len(self._lines) - self.size.height))
        self._place()
        self.repaint()

    def _is_thumb(self, number: int, height: int) -> bool:
        """Whether the bar that shows what is in sight goes over a line."""
        first = self._top * height // len(self._lines)
        length = max(1, height * height // len(self._lines))
        return first <= number < first + length or (
            number == height - 1 and self._top + height >= len(self._lines)
        )
