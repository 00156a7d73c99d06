"""A button of one line, drawn: Textual's own costs more before the first frame than a pane."""

from __future__ import annotations

from typing import ClassVar, Literal

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from .painted import Painted, text_strip


class FormButton(Painted, can_focus=True):
    """Tells that it was pressed, by the mouse or by enter."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "press", "Press", show=False)]
    DEFAULT_CSS = """
    FormButton {
        height: 1;
        width: 1fr;
        color: $button-color-foreground;
        text-style: bold;
        &.-success { background: $success; }
        &.-primary { background: $primary; }
        &.-error { background: $error; }
        &:focus { text-style: $button-focus-text-style; }
        &:disabled { color: $button-color-foreground 60%; }
    }
    FormButton:ansi {
        background: ansi_default;
        color: ansi_default;
        &.-success { color: $success; }
        &.-primary { color: $primary; }
        &.-error { color: $error; }
        &:focus { text-style: bold reverse; }
        &:disabled { text-style: bold dim; }
    }
    """

    class Pressed(Message):
        """The button was pressed."""

        def __init__(self, button: FormButton) -> None:
            super().__init__()
            self.button = button

    def __init__(
        self,
        label: str,
        *,
        id: str,  # noqa: A002 - as Textual calls it
        variant: Literal["success", "primary", "error"],
        disabled: bool = False,
    ) -> None:
        super().__init__(id=id, classes=f"-{variant}", disabled=disabled)
        self._label = label

    def paint(self, width: int, height: int) -> list[Strip]:
        """The label in the middle."""
        del height
        return [text_strip(Text(self._label.center(width)), width)]

    def action_press(self) -> None:
        """Tell that it was pressed."""
        self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        """The same, by the mouse."""
        event.stop()
        self.action_press()
