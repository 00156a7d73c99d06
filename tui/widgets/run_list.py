"""Runs to choose from: a line each, one of them marked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.strip import Strip

from ...core.run.directory import Run
from ...core.run.standing import lowest_loss
from ...core.run.status import RunSummary
from ..words.wording import loss_text, printable, status_text
from .marked_list import MarkedList
from .painted import text_strip

_GAP = "  "


class ListedRun(msgspec.Struct, frozen=True):
    """A run with what its line says."""

    run: Run
    name: str
    status: str
    best: str

    @classmethod
    def of(cls, summary: RunSummary) -> ListedRun:
        """The line of a run whose last records have been read."""
        best = loss_text(lowest_loss(summary)[0]) if summary.last_epoch else "no epoch"
        name = printable(summary.run.name)
        return cls(summary.run, name, status_text(summary.status), best)

    def fits(self, text: str) -> bool:
        """Whether name or status hold each word that was typed, in any case."""
        return all(word in f"{self.name} {self.status}".lower() for word in text.lower().split())


class RunList(MarkedList[ListedRun]):
    """Shows as many runs as it has lines, and scrolls with the one that is marked."""

    MARKED = "run-list--marked"
    COMPONENT_CLASSES = {MARKED}  # noqa: RUF012 - as Textual declares it
    DEFAULT_CSS = """
    RunList {
        height: 12;
        & > .run-list--marked { text-style: reverse; }
    }
    """

    class Clicked(Message):
        """Somebody took a run with the mouse."""

        def __init__(self, run: Run) -> None:
            super().__init__()
            self.run = run

    def __init__(self) -> None:
        super().__init__()
        self._otherwise = ""
        self._longest_name = 0
        self._columns: list[int] = []

    @property
    def marked(self) -> Run | None:
        """The run that enter takes; None where there is none."""
        return self._items[self._at].run if self._items else None

    def show(self, runs: Sequence[ListedRun], otherwise: str) -> None:
        """List these, or say in a sentence why there are none; the mark stays on its run."""
        before = self.marked
        numbers = [number for number, each in enumerate(runs) if each.run == before]
        self._items, self._otherwise = runs, otherwise
        self._longest_name = max((cell_len(run.name) for run in runs), default=0)
        self._columns = [
            max(map(cell_len, texts)) for texts in zip(*map(_cells, runs), strict=True)
        ]
        self._at = numbers[0] if numbers else 0
        self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The runs around the marked one, or why there are none."""
        if not self._items:
            return [text_strip(Text(self._otherwise, "dim"), width)]
        return super().paint(width, height)

    def line(self, item: ListedRun, width: int, style: Style | None) -> Text:
        """The name, whose end says most where there is no room for all of it, and the rest."""
        room = width - sum(self._columns) - len(_GAP) * len(self._columns)
        room = max(room, min(self._longest_name, width // 3))  # or all runs would look alike
        cells = map(set_cell_size, _cells(item), self._columns)
        line = Text(_GAP.join([set_cell_size(_end_of(item.name, room), room), *cells]))
        if style is not None:
            line.stylize(style)
        return line

    def take(self, item: ListedRun) -> None:
        """Tell that a run was clicked on."""
        self.post_message(self.Clicked(item.run))


def _end_of(name: str, room: int) -> str:
    """The name, or as much of its end as there is room for."""
    if cell_len(name) <= room:
        return name
    first = next(at for at in range(len(name) + 1) if cell_len(name[at:]) < max(1, room))
    return f"…{name[first:]}"


def _cells(run: ListedRun) -> tuple[str, str]:
    return run.status, run.best
