"""The settings as lines: what the keys and the mouse do in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual import events, on
from textual.message import Message

from .choice_list import ChoiceList
from .line_list import LineList
from .line_text import VALUE_AT

_LINES_A_WHEEL_TURN = 3


class SettingsList(LineList):
    """Tells what is done in its lines; who holds the settings shows the new ones."""

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

    class Confirmed(Message):
        """Enter was pressed in a field of text."""

    class CompletionWanted(Message):
        """Somebody types, and would like to know what the text could go on to."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key = key
            self.text = text

    def offer(self, key: str, text: str, choices: Sequence[str]) -> None:
        """Show what a text could go on to, if it is still the one."""
        editor = self._editor
        if editor is None or not editor.has_focus or (editor.key, editor.value) != (key, text):
            return
        if tuple(choices) == (text,):
            choices = ()
        self._open_choices(choices)

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

    def _leave(self, direction: Literal[1, -1]) -> bool:
        """Go on to what comes after the last line, or before the first; the app does the rest."""
        self.screen.set_focus(self._focus_target() if direction > 0 else self, scroll_visible=False)
        if direction > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()
        return True

    def _take(self, choice: str) -> None:
        """Make a choice the text; a directory goes on to what is in it."""
        self._close_choices()
        line = self.line
        self.post_message(self.Edited(line.key, choice))
        if line.kind == "text" and choice.endswith(("/", ":")):
            self.post_message(self.CompletionWanted(line.key, choice))
