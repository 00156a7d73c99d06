"""The one field of text of a form: it goes to the row that the cursor is on."""

from textual.widgets import Input


class RowEditor(Input):
    """Edits the text of the setting `key`."""

    DEFAULT_CSS = """
    RowEditor, RowEditor:focus {
        position: absolute; height: 1; min-width: 1; padding: 0; border: none;
        background: $boost; background-tint: $foreground 0%;
        &.-away { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self.key = ""

    def edit(self, key: str, text: str) -> None:
        """Go to another setting, all of its text selected: what is typed replaces it."""
        self.key, self.value = key, text
        self.action_select_all()

    def follow(self, text: str) -> None:
        """Show what the setting has become meanwhile."""
        if self.value != text:
            self.value = text
            self.cursor_position = len(text)

    @property
    def is_at_end(self) -> bool:
        """Whether the cursor stands behind the last character."""
        return self.cursor_position == len(self.value)
