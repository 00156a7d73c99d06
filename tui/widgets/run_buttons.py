"""What one may ask of the run, for the mouse: a row of buttons that costs no bytes."""

import msgspec
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from ..following.state import RunState
from ..keys import Stage
from .painted import Painted, text_strip

_GAP = 2


class RunButton(msgspec.Struct, frozen=True):
    """A label, the app's action behind it, and whether it may be pressed now."""

    label: str
    action: str
    is_enabled: bool


class RunButtons(Painted):
    """Pause, stop and the rest; dim where the run's state does not allow it."""

    DEFAULT_CSS = "RunButtons { height: 1; padding: 0 1; }"

    state: reactive[RunState] = reactive(RunState, layout=False, repaint=False)
    stage: reactive[Stage] = reactive[Stage]("none", repaint=False)

    class Pressed(Message):
        """A button was pressed; `action` is the app's."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def watch_state(self) -> None:
        """Draw the buttons that the new state allows."""
        self.repaint()

    watch_stage = watch_state

    @property
    def buttons(self) -> list[RunButton]:
        """All buttons, from left to right."""
        is_live = self.stage in ("live", "paused")
        trains = is_live and self.state.started is not None
        stops = is_live and self.state.stop_requested is None
        return [
            RunButton("Go on" if self.stage == "paused" else "Pause", "pause", trains),
            RunButton("Stop", "stop", stops),
            RunButton("Stop now", "stop_now", is_live and self.state.stop_requested != "now"),
            RunButton("Checkpoint", "checkpoint", trains),
            RunButton("Resume", "resume", self.stage == "ended"),
        ]

    def paint(self, width: int, height: int) -> list[Strip]:
        """One line."""
        del height
        line = Text()
        for button in self.buttons:
            style = "reverse" if button.is_enabled else "dim"
            line.append(_face(button), style).append(" " * _GAP)
        return [text_strip(line, width)]

    def on_click(self, event: events.Click) -> None:
        """Press the button under the pointer, if it may be."""
        offset = event.get_content_offset(self)
        start = 0
        for button in self.buttons:
            end = start + len(_face(button))
            if offset is not None and start <= offset.x < end and button.is_enabled:
                self.post_message(self.Pressed(button.action))
            start = end + _GAP


def _face(button: RunButton) -> str:
    # as wide whatever it says, so that the others stay where they are
    return f" {button.label.ljust(5)} "
