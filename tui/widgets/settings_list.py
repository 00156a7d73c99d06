"""The lines of the form, drawn by one widget: a cursor, one field of text, one list of choices.

A widget a setting costs half a second before the first frame and a tenth at every tab.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from textual import events, on
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

_LINES_A_WHEEL_TURN = 3
_COMPONENTS = ("label", "cursor", "section", "value", "quiet", "wrong", "pending")


class SettingsList(Painted, can_focus=True):
    """Shows lines and tells what is done in them; who holds the settings shows the new lines."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {f"settings-list--{name}" for name in _COMPONENTS}  # noqa: RUF012
    DEFAULT_CSS = """
    SettingsList {
        height: 1fr;
        & > .settings-list--label { text-style: dim; }
        & > .settings-list--cursor { color: $text-accent; text-style: bold reverse; }
        & > .settings-list--section { color: $text-accent; text-style: bold; }
        & > .settings-list--value { color: $foreground; }
        & > .settings-list--quiet { text-style: dim; }
        & > .settings-list--wrong { color: $text-error; }
        & > .settings-list--pending { color: $text-warning; text-style: bold; }
    }
    """

    class Edited(Message):
        """A setting was typed, ticked or chosen."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key = key
            self.text = text

    class Folded(Message):
        """A fold shall open, or close."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Moved(Message):
        """The cursor is on another line."""

    class Confirmed(Message):
        """Enter was pressed in a field of text."""

    class CompletionWanted(Message):
        """Somebody types, and would like to know what the text could go on to."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key = key
            self.text = text

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

    def offer(self, key: str, text: str, choices: Sequence[str]) -> None:
        """Show what a text could go on to, if it is still the one."""
        editor = self._editor
        if editor is None or not editor.has_focus or (editor.key, editor.value) != (key, text):
            return
        if tuple(choices) == (text,):
            choices = ()
        self._open_choices(choices)

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
            name: self.get_component_rich_style(f"settings-list--{name}", partial=True)
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
        self.scroll_to_cursor()
        super().on_resize(event)
        self._place()

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

    def on_key(self, event: events.Key) -> None:
        """Act on what is no text; the rest goes its way, to the keys of the app."""
        is_done = self._key_of_choices(event) if self._is_choosing else self._key_of_lines(event)
        if is_done:
            event.stop()
            event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Go to the line, and fold it, tick it or open its choices."""
        number = self._top + event.y
        if event.widget is not self or number >= len(self._lines):
            return
        while not self._lines[number].takes_focus:
            number -= 1
        self._move_to(number)
        if self.line.kind == "fold" or event.x >= VALUE_AT:
            self._act()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll the lines; the cursor stays where it is."""
        self._scroll(event, _LINES_A_WHEEL_TURN)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The same, up."""
        self._scroll(event, -_LINES_A_WHEEL_TURN)

    @on(ChoiceList.Clicked)
    def _choice_clicked(self, event: ChoiceList.Clicked) -> None:
        event.stop()
        self._take(event.choice)

    def on_input_changed(self, event: Message) -> None:
        """Tell what was typed, and ask what it could go on to."""
        event.stop()
        editor = self._editor
        if editor is None or editor.key != self.line.key or editor.value == self.line.text:
            return
        key, text = editor.key, editor.value
        if self._choices is not None:
            self._choices.narrow(text)
        self.post_message(self.Edited(key, text))
        self.post_message(self.CompletionWanted(key, text))

    # keys

    @property
    def _is_choosing(self) -> bool:
        return self._choices is not None and self._choices.is_open

    def _key_of_choices(self, event: events.Key) -> bool:
        """What a key does while choices are open."""
        choices, editor = self._choices, self._editor
        if choices is None:
            return False
        is_text = self.line.kind == "text"
        match event.key:
            case "up" | "down" | "pageup" | "pagedown":
                choices.move({"up": -1, "down": 1, "pageup": -8, "pagedown": 8}[event.key])
            case "enter":
                self._take(choices.marked)
            case "tab" if is_text and not choices.has(self.line.text):
                self._take(choices.marked)
            case "right" if is_text and editor is not None and editor.is_at_end:
                self._take(choices.marked)
            case "space" if not is_text:
                self._take(choices.marked)
            case "escape":
                self._close_choices()
                return not is_text  # what is offered while one types comes when it likes
            case "tab" | "shift+tab":
                self._close_choices()
                return self._key_of_lines(event)
            case _ if not is_text and event.is_printable and event.character:
                choices.find(event.character)
            case _:
                return False
        return True

    def _key_of_lines(self, event: events.Key) -> bool:
        """What a key does while none are."""
        has_text = self.line.kind == "text" and self.line.is_editable
        match event.key:
            case "down" | "tab":
                return self.step(1) or (event.key == "tab" and self._leave(1))
            case "up" | "shift+tab":
                return self.step(-1) or (event.key == "shift+tab" and self._leave(-1))
            case "pagedown" | "pageup":
                self._move_by(self.size.height * (1 if event.key == "pagedown" else -1))
            case "enter":
                self._enter()
            case "home" | "end" if not has_text:
                self._move_by(len(self._lines) * (1 if event.key == "end" else -1))
            case "space" if not has_text:
                self._act()
            case "left" | "right" if not has_text:
                self._turn(1 if event.key == "right" else -1)
            case _:
                return False
        return True

    def _enter(self) -> None:
        if self.line.kind != "text":
            self._act()
        elif self.line.completes and self.line.is_editable:
            self.post_message(self.CompletionWanted(self.line.key, self.line.text))
        else:
            self.post_message(self.Confirmed())

    def _act(self) -> None:
        """Fold, tick, or open the choices of the cursor's line."""
        line = self.line
        if line.kind == "fold":
            self.post_message(self.Folded(line.key))
        elif not line.is_editable:
            return
        elif line.kind == "tick":
            self._turn(1)
        elif line.kind == "choice":
            self._open_choices(line.options, line.text)

    def _turn(self, by: int) -> None:
        """Take the next choice without a list, or fold."""
        line = self.line
        if line.kind == "fold" and line.is_open != (by > 0):
            self.post_message(self.Folded(line.key))
        elif line.is_editable and line.options:
            at = line.options.index(line.text) if line.text in line.options else -1
            text = line.options[(at + by) % len(line.options)]
            self.post_message(self.Edited(line.key, text))

    # the cursor

    def step(self, by: Literal[1, -1]) -> bool:
        """Move to the next line that takes the focus; false where there is none."""
        number = self._at + by
        while 0 <= number < len(self._lines) and not self._lines[number].takes_focus:
            number += by
        if not 0 <= number < len(self._lines):
            return False
        self._move_to(number)
        return True

    def _move_by(self, count: int) -> None:
        number = max(0, min(len(self._lines) - 1, self._at + count))
        while not self._lines[number].takes_focus:
            number -= 1
        self._move_to(number)

    def _move_to(self, number: int) -> None:
        self.go_to(self._lines[number].key)
        self._focus_line()

    def _leave(self, direction: Literal[1, -1]) -> bool:
        """Go on to what comes after the last line, or before the first; the app does the rest."""
        self.screen.set_focus(self._focus_target() if direction > 0 else self, scroll_visible=False)
        if direction > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()
        return True

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

    # the field of text and the choices

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

    def _take(self, choice: str) -> None:
        """Make a choice the text; a directory goes on to what is in it."""
        self._close_choices()
        line = self.line
        self.post_message(self.Edited(line.key, choice))
        if line.kind == "text" and choice.endswith(("/", ":")):
            self.post_message(self.CompletionWanted(line.key, choice))

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
