"""What happens to a live run when the screen is left."""

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label

Choice = Literal["leave", "stop", "stay"]


class QuitDialog(ModalScreen[Choice]):
    """Asks whether the run shall go on."""

    DEFAULT_CSS = """
    QuitDialog {
        align: center middle;
        Vertical {
            width: 60; max-width: 100%; height: auto;
            border: round $accent; background: $surface; padding: 0 1;
        }
        Label { width: 1fr; margin: 0 0 1 0; }
        Button { width: 1fr; margin: 0 0 1 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "choose('leave')", "Leave it running"),
        Binding("t", "choose('stop')", "Stop it"),
        Binding("escape,y", "choose('stay')", "Stay"),
        Binding("ctrl+q,ctrl+c", "choose('leave')", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def compose(self) -> ComposeResult:
        """A button a choice, the harmless one in focus."""
        with Vertical():
            yield Label("The run is still training. It does not need this screen.")
            yield Button("Leave it running (l)", id="leave", variant="primary", compact=True)
            yield Button("Stop it and quit (t)", id="stop", variant="error", compact=True)
            yield Button("Stay (escape)", id="stay", compact=True)

    def action_choose(self, choice: Choice) -> None:
        """Answer by key."""
        self.dismiss(choice)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by button."""
        match event.button.id:
            case "leave" | "stop" as choice:
                self.dismiss(choice)
            case _:
                self.dismiss("stay")
