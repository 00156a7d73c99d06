"""The help of the setting that the cursor is on, in lines that are always there."""

from rich.console import Console
from rich.text import Text
from textual.strip import Strip

from .painted import Painted, text_strip

# Wraps texts of our own; it writes nowhere.
_CONSOLE = Console(width=1000)


class HelpLine(Painted):
    """Shows a text in as many lines as it has; what is too long ends in dots.

    Its height stays: were it as high as each text, every tab would draw the whole form anew.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    HelpLine { height: 6; color: $text-muted; padding: 0 1; border-top: solid $panel-lighten-1; }
    """

    def __init__(self) -> None:
        super().__init__(id="help")
        self._text = Text()

    @property
    def text(self) -> str:
        """What is explained."""
        return self._text.plain

    def explain(self, text: Text) -> None:
        """Show another text."""
        if text != self._text:
            self._text = text
            self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The text, wrapped between words."""
        lines = list(self._text.wrap(_CONSOLE, width))
        if len(lines) > height:
            lines[height - 1].truncate(width - 1)
            lines[height - 1].append("…")
        return [text_strip(line, width) for line in lines[:height]]
