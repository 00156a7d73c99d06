"""Where settings are loaded from and saved to: a path, typed with completion."""

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from ...core.errors import SettingsError
from ...core.settings.data_source import expanded
from ...core.settings.declaration import FileChoice, Settings
from ...core.settings.toml_file import read_settings, write_settings
from ..form.completion import completions
from ..form.lookup import Lookup
from ..widgets.choice_list import ChoiceList
from ..words.wording import printable

T = TypeVar("T")
_TOML = FileChoice((".toml",))


class PathPrompt(ModalScreen[T]):
    """Asks for a path until something can be done with it, or escape is pressed."""

    DEFAULT_CSS = """
    PathPrompt {
        align: center middle;
        Vertical {
            width: 72; max-width: 100%; height: auto;
            border: round $accent; background: $surface; padding: 0 1;
        }
        Label { width: 1fr; }
        #message { height: auto; max-height: 8; color: $text-error; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("ctrl+q,ctrl+c", "dismiss(None)", show=False),
    ]
    TEXT: ClassVar = ("", "")

    class _Found(Message):
        """Paths that begin as what was typed."""

        def __init__(self, text: str, choices: tuple[str, ...]) -> None:
            super().__init__()
            self.text, self.choices = text, choices

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self._path = path
        self._has_chosen = False
        self._lookup: Lookup[Message] = Lookup(self.post_message)

    def compose(self) -> ComposeResult:
        """What is asked, the path, and what is wrong with it."""
        title, hint = self.TEXT
        with Vertical():
            yield Label(title)
            yield Input(self._path, compact=True, select_on_focus=False)
            yield Static(Text(hint, "dim"), id="message")
        yield ChoiceList()

    @abstractmethod
    def act(self, path: Path) -> str:
        """Do it and dismiss the prompt, or say what is wrong."""

    def say(self, text: str) -> None:
        """Show a message below the path."""
        self.query_one("#message", Static).update(Text(printable(text)))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look what it could go on to, without waiting."""
        text, self._has_chosen = event.value, False
        self.query_one(ChoiceList).narrow(text)
        self._lookup.ask(lambda: self._Found(text, completions(text, _TOML)))

    def on_path_prompt__found(self, message: _Found) -> None:
        """Offer it, if it is still what was typed."""
        field, choices = self.query_one(Input), self.query_one(ChoiceList)
        if message.text == field.value != self._path and message.choices != (message.text,):
            below = field.region.bottom_left
            choices.styles.offset = below
            choices.styles.width = field.region.width
            choices.open(message.choices)

    def on_choice_list_clicked(self, message: ChoiceList.Clicked) -> None:
        """Take what was clicked on."""
        self._take(message.choice)

    def on_key(self, event: events.Key) -> None:
        """Walk through what is offered, take it, or go on with what was typed."""
        field, choices = self.query_one(Input), self.query_one(ChoiceList)
        match event.key:
            case "up" | "down" if choices.is_open:
                choices.move((1 if event.key == "down" else -1) if self._has_chosen else 0)
                self._has_chosen = True
            case "tab" if choices.is_open:
                self._take(choices.marked)
            case "right" if choices.is_open and field.cursor_position == len(field.value):
                self._take(choices.marked)
            case "enter" if choices.is_open and self._has_chosen:
                self._take(choices.marked)
            case "enter":
                self._submit(field.value.strip())
            case "tab" | "shift+tab":
                pass
            case _:
                return
        event.stop()
        event.prevent_default()

    def _take(self, choice: str) -> None:
        field = self.query_one(Input)
        self.query_one(ChoiceList).close()
        field.value = choice
        field.cursor_position = len(choice)

    def _submit(self, text: str) -> None:
        self.query_one(ChoiceList).close()
        self.say(self.act(Path(expanded(text))) if text else "type the path of a file")


class LoadPrompt(PathPrompt[Settings]):
    """Asks for a TOML file of settings, and gives what it holds."""

    TEXT = ("Load settings from", "a TOML file; what it does not say is as by default")

    def act(self, path: Path) -> str:
        """Read it, or say everything that is wrong in it with its lines."""
        try:
            self.dismiss(read_settings(path))
        except SettingsError as error:
            return str(error)
        return ""


class SavePrompt(PathPrompt[Path]):
    """Asks where to, and saves settings there; over an existing file at the second enter only.

    Args:
        settings: what is saved.
    """

    TEXT = ("Save settings to", "a TOML file")

    def __init__(self, settings: Settings) -> None:
        super().__init__("settings.toml")
        self._settings = settings
        self._may_replace: Path | None = None

    def act(self, path: Path) -> str:
        """Write it, whole or not at all."""
        if path.suffix.lower() != ".toml":
            return f"{path}: the name of a TOML file ends in .toml"
        if path.exists() and path != self._may_replace:
            self._may_replace = path
            return f"{path} exists; press enter again to replace it"
        try:
            write_settings(self._settings, path)
        except OSError as error:
            return f"{path}: not saved: {error.strerror or error}"
        self.dismiss(path)
        return ""
