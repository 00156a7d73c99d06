"""A few choices below a field; the field keeps the focus and its widget hands on the keys."""

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.message import Message

from ..words.wording import printable
from .marked_list import MarkedList

MOST_SHOWN = 8


class ChoiceList(MarkedList[str]):
    """Shows up to eight choices at once, scrolls with the one that is marked, or is not there."""

    ALLOW_SELECT = False
    MARKED = "choice-list--marked"
    COMPONENT_CLASSES = {MARKED}  # noqa: RUF012 - as Textual declares it
    DEFAULT_CSS = """
    ChoiceList {
        position: absolute; overlay: screen; display: none;
        background: $panel; color: $foreground;
        &.-open { display: block; }
        & > .choice-list--marked { background: $accent; color: $text; text-style: bold; }
    }
    """

    class Clicked(Message):
        """Somebody took a choice with the mouse."""

        def __init__(self, choice: str) -> None:
            super().__init__()
            self.choice = choice

    @property
    def is_open(self) -> bool:
        """Whether there is anything to choose from."""
        return bool(self._items)

    @property
    def marked(self) -> str:
        """The choice that enter takes."""
        return self._items[self._at] if self._items else ""

    def has(self, choice: str) -> bool:
        """Whether this is one of the choices."""
        return choice in self._items

    @property
    def height_wanted(self) -> int:
        """Lines for the choices, and one that counts those that do not fit."""
        return min(len(self._items), MOST_SHOWN) + (len(self._items) > MOST_SHOWN)

    def open(self, choices: Sequence[str], marked: str = "") -> None:
        """Show these, and mark one."""
        self._items = tuple(choices)
        self._at = self._items.index(marked) if marked in self._items else 0
        self.set_class(self.is_open, "-open")
        if self.is_open:
            self.styles.height = self.height_wanted
        self.repaint()

    def narrow(self, start: str) -> None:
        """Keep what still fits the text, until somebody knows better."""
        if self.is_open:
            fits = [choice for choice in self._items if choice.startswith(start)]
            self.open([choice for choice in fits if choice != start])

    def close(self) -> None:
        """Show nothing."""
        if self.is_open:
            self._items = ()
            self.remove_class("-open")

    def find(self, start: str) -> None:
        """Mark the next one that begins so."""
        order = (*self._items[self._at + 1 :], *self._items[: self._at + 1])
        match = next((choice for choice in order if choice.startswith(start)), None)
        if match is not None:
            self._at = self._items.index(match)
            self.repaint()

    def line(self, item: str, width: int, style: Style | None) -> Text:
        """A choice; of one that is too long its end counts, where a path says most."""
        text = printable(item)
        if len(text) > width - 2:
            text = "…" + text[-(width - 3) :]
        line = Text(f" {text}".ljust(width))
        if style is not None:
            line.stylize(style)
        return line

    def take(self, item: str) -> None:
        """Tell that a choice was clicked on."""
        self.post_message(self.Clicked(item))
