"""A widget that draws its own cells and sends the terminal only those that changed.

Textual sends all cells of a widget at each refresh. Over a slow line that is most of what a live
screen costs, though from one picture to the next only a few cells differ.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import ClassVar

from rich.cells import get_character_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

# To move the cursor over cells costs about as many bytes as this many cells do.
_CELLS_WORTH_A_MOVE = 8

# Renders texts of our own; it writes nowhere.
_CONSOLE = Console(color_system="truecolor", width=1000, legacy_windows=False)

# What a terminal would move its cursor for, in names and messages that are not the program's own.
_BREAKS = frozenset("\n\t")
_AS_BLANKS = dict.fromkeys(map(ord, _BREAKS), " ")

Cell = tuple[str, Style | None]


class Painted(Widget):
    """Shows what `paint` returns; `repaint` compares it with what is shown.

    Whatever a subclass draws of something that changes must go through `repaint`, and not
    through `refresh`, a reactive that refreshes or a border's title.
    """

    # Textual's own selection would draw all anew; the terminal's own costs nothing.
    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - as Textual calls it
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(id=id, classes=classes, disabled=disabled)
        self._shown: list[Strip] = []
        self._painted_for = Size(0, 0)

    @property
    def shown(self) -> Sequence[Strip]:
        """The lines that are on the screen."""
        return self._shown

    def paint(self, width: int, height: int) -> list[Strip]:
        """The content in so many cells; what is missing of it stays blank. A subclass draws."""
        del width, height
        return []

    def repaint(self) -> None:
        """Draw anew, and have the cells sent that differ."""
        if not (self.is_mounted and self.size):
            self._painted_for = Size(0, 0)  # what was drawn before it was hidden is out of date
            return
        before, self._shown = self._shown, self._painted()
        regions = [
            region
            for y, (old, new) in enumerate(zip(before, self._shown, strict=False))
            for region in changed_spans(old, new, y)
        ]
        if len(before) != len(self._shown):
            self.refresh()
        elif regions:
            self.refresh(*regions)

    @property
    def text(self) -> str:
        """What is shown, without its colours and the blanks at the lines' ends."""
        return "\n".join(strip.text.rstrip() for strip in self._shown).rstrip("\n")

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size, which the terminal gets whole, unless it has been drawn."""
        del event
        if self._painted_for != self.size:
            self._shown = self._painted()
            self.refresh()

    def notify_style_update(self) -> None:
        """Draw in the colours of another theme."""
        super().notify_style_update()
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """One line of what is shown, on the widget's own background.

        The first frame of a size asks for lines before the widget hears of the size.
        """
        if self._painted_for != self.size:
            self._shown = self._painted()
        if y >= len(self._shown):
            return Strip.blank(self.size.width, self.rich_style)
        return self._shown[y].apply_style(self.rich_style)

    def _painted(self) -> list[Strip]:
        self._painted_for = self.size
        width, height = self.size
        strips = self.paint(width, height)[:height] if width and height else []
        strips += [Strip.blank(width)] * (height - len(strips))
        return [strip.adjust_cell_length(width) for strip in strips]


def text_strips(text: Text, width: int) -> list[Strip]:
    """The lines of a text, cut at a width."""
    lines = text.split("\n", allow_blank=True)
    return [text_strip(line, width) for line in lines]


def text_strip(line: Text, width: int) -> Strip:
    """A text of one line, cut at a width with a sign: half a number would be another number.

    A line break in it is a blank.
    """
    line = line.copy()
    if not _BREAKS.isdisjoint(line.plain):
        line.plain = line.plain.translate(_AS_BLANKS)  # as long as before: its spans stay right
    if line.cell_len > width:
        line.rstrip()
        line.truncate(width, overflow="ellipsis")
    line.stylize_before(line.style)  # which a text without spans would not tell
    return Strip([segment for segment in line.render(_CONSOLE, end="") if segment.text])


def changed_spans(old: Strip, new: Strip, y: int) -> Iterator[Region]:
    """Where two lines differ, with the gaps filled that are cheaper to send than to skip."""
    if old == new:
        return
    start, end = -1, -1
    for x, (before, after) in enumerate(zip(_cells(old), _cells(new), strict=False)):
        if before == after:
            continue
        if start >= 0 and x - end > _CELLS_WORTH_A_MOVE:
            yield Region(start, y, end - start, 1)
            start = x
        start, end = (x if start < 0 else start), x + 1
    if start >= 0:
        yield Region(start, y, end - start, 1)


def _cells(strip: Strip) -> list[Cell]:
    """The cells of a line; a character of two cells is one and a blank that belongs to it."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        blank = (" ", _style_of_blank(style))
        for character in text:
            size = get_character_cell_size(character)
            if character == " ":
                cells.append(blank)
            elif size:
                cells += [(character, style)] + [("", style)] * (size - 1)
    return cells


@lru_cache(maxsize=1024)
def _style_of_blank(style: Style | None) -> Style | None:
    """What one sees of a style on a blank: its background, unless it is drawn in some way."""
    if style is None or style.reverse or style.underline or style.underline2 or style.strike:
        return style
    return None if style.bgcolor is None else Style(bgcolor=style.bgcolor)
