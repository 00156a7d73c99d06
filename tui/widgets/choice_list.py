"""A few choices below a field; the field keeps the focus and its widget hands on the keys."""

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip

from ..words.wording import printable
from .painted import Painted, text_strip

MOST_SHOWN = 8


class ChoiceList(Painted):
    """Shows up to eight choices at once, scrolls with the one that is marked, or is not there."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"choice-list--marked"}  # noqa: RUF012 - as Textual declares it
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

    def __init__(self) -> None:
        super().__init__()
        self._choices: tuple[str, ...] = ()
        self._at = 0

    @property
    def is_open(self) -> bool:
        """Whether there is anything to choose from."""
        return bool(self._choices)

    @property
    def marked(self) -> str:
        """The choice that enter takes."""
        return self._choices[self._at] if self._choices else ""

    def has(self, choice: str) -> bool:
        """Whether this is one of the choices."""
        return choice in self._choices

    @property
    def height_wanted(self) -> int:
        """Lines for the choices, and one that counts those that do not fit."""
        return min(len(self._choices), MOST_SHOWN) + (len(self._choices) > MOST_SHOWN)

    def open(self, choices: Sequence[str], marked: str = "") -> None:
        """Show these, and mark one."""
        self._choices = tuple(choices)
        self._at = self._choices.index(marked) if marked in self._choices else 0
        self.set_class(self.is_open, "-open")
        if self.is_open:
            self.styles.height = self.height_wanted
        self.repaint()

    def narrow(self, start: str) -> None:
        """Keep what still fits the text, until somebody knows better."""
        if self.is_open:
            fits = [choice for choice in self._choices if choice.startswith(start)]
            self.open([choice for choice in fits if choice != start])

    def close(self) -> None:
        """Show nothing."""
        if self.is_open:
            self._choices = ()
            self.remove_class("-open")

    def move(self, by: int) -> None:
        """Mark another one."""
        self._at = max(0, min(len(self._choices) - 1, self._at + by))
        self.repaint()

    def find(self, start: str) -> None:
        """Mark the next one that begins so."""
        order = (*self._choices[self._at + 1 :], *self._choices[: self._at + 1])
        match = next((choice for choice in order if choice.startswith(start)), None)
        if match is not None:
            self._at = self._choices.index(match)
            self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The choices around the marked one."""
        del height
        marked = self.get_component_rich_style("choice-list--marked", partial=True)
        strips = [
            text_strip(_line(choice, width, marked if number == self._at else ""), width)
            for number, choice in self._window()
        ]
        if len(self._choices) > MOST_SHOWN:
            rest = f"{self._at + 1} of {len(self._choices)}"
            strips.append(text_strip(Text(rest.rjust(width - 1), "dim"), width))
        return strips

    def on_click(self, event: events.Click) -> None:
        """Take the choice under the pointer."""
        event.stop()
        window = self._window()
        if 0 <= event.y < len(window):
            self.post_message(self.Clicked(window[event.y][1]))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Mark the next one."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Mark the one before."""
        event.stop()
        self.move(-1)

    def _window(self) -> list[tuple[int, str]]:
        first = max(0, min(self._at - MOST_SHOWN // 2, len(self._choices) - MOST_SHOWN))
        return list(enumerate(self._choices))[first : first + MOST_SHOWN]


def _line(choice: str, width: int, style: object) -> Text:
    """A choice; of one that is too long its end counts, where a path says most."""
    text = printable(choice)
    if len(text) > width - 2:
        text = "…" + text[-(width - 3) :]
    line = Text(f" {text}".ljust(width))
    if style:
        line.stylize(style)  # type: ignore[arg-type]
    return line
