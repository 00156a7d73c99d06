"""One setting of the form: its name, an editor, and what is wrong with what was typed."""

from typing import Any

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Label, Select, Static

from ...core.settings.declaration import BUILT_IN_SOURCES
from ...core.settings.fields import SettingField, setting_fields
from ..wording import printable

_LABEL_WIDTH = max(len(field.key) for field in setting_fields()) + 1


class RowLabel(Label):
    """A name on the left of a row, as wide as the longest of them and a blank."""

    DEFAULT_CSS = "RowLabel { color: $text-muted; }"

    def on_mount(self) -> None:
        """Line all rows up."""
        self.styles.width = _LABEL_WIDTH


class SettingRow(Widget):
    """Edits a setting as its declaration asks: a choice, a tick or text, checked as it is typed."""

    DEFAULT_CSS = """
    SettingRow {
        height: auto;
        Horizontal { height: 1; }
        Input, Select, Checkbox { width: 1fr; }
        Checkbox { padding: 0; }
        #problem { display: none; height: auto; color: $text-error; padding: 0 0 0 2; }
        &.-wrong #problem { display: block; }
        &.-wrong RowLabel { color: $text-error; }
    }
    """

    class Changed(Message):
        """Somebody typed, ticked or chose something."""

    class Focused(Message):
        """The row's editor has the focus now; its help is wanted."""

        def __init__(self, field: SettingField) -> None:
            super().__init__()
            self.field = field

    def __init__(self, field: SettingField) -> None:
        super().__init__(id=field.path.replace(".", "-"))
        self.field = field
        self.editor = _editor(field)
        self.problem: str | None = None

    def compose(self) -> ComposeResult:
        """A label and an editor beside each other, the problem below."""
        with Horizontal():
            yield RowLabel(self.field.key)
            yield self.editor
        yield Static(id="problem", markup=False)

    @property
    def text(self) -> str:
        """What the editor holds, as a person would type it."""
        if isinstance(self.editor, Checkbox):
            return self.field.format(self.editor.value)
        return str(self.editor.value)

    @text.setter
    def text(self, text: str) -> None:
        if isinstance(self.editor, Checkbox):
            self.editor.value = text == self.field.format(True)
        else:
            self.editor.value = text

    def set_locked(self, locked: bool) -> None:
        """Make the editor refuse input, or take it again."""
        self.editor.disabled = locked

    def show_problem(self, problem: str | None) -> None:
        """Say what is wrong below the editor, or that nothing is."""
        if problem == self.problem:
            return
        self.problem = problem
        self.set_class(problem is not None, "-wrong")
        self.query_one("#problem", Static).update(Text(printable(problem or "")))

    def value(self) -> Any:
        """What the text stands for.

        Raises:
            SettingsError: it is no value of the setting.
        """
        return self.field.parse(self.text)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Ask for the setting's help to be shown."""
        del event
        self.post_message(self.Focused(self.field))

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    def _changed(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Changed())


def _editor(field: SettingField) -> Input | Select[str] | Checkbox:
    if field.choices:
        options = [(choice, choice) for choice in field.choices]
        return Select(options, value=str(field.default), allow_blank=False, compact=True)
    if isinstance(field.default, bool):
        return Checkbox(value=field.default, compact=True)
    known = BUILT_IN_SOURCES if field.path == "data.source" else ()
    suggester = SuggestFromList(known)
    return Input(field.format(field.default), compact=True, suggester=suggester)
