"""Runs to choose from: a line each, one of them marked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip

from ...core.run.directory import Run
from ...core.run.status import RunSummary
from ..words.wording import loss_text, printable, status_text
from .painted import Painted, text_strip

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
        last = summary.last_epoch
        best = loss_text(last.stopping.lowest_loss) if last else "no epoch"
        name = printable(summary.run.name)
        return cls(summary.run, name, status_text(summary.status), best)

    def fits(self, text: str) -> bool:
        """Whether name or status hold each word that was typed, in any case."""
        return all(word in f"{self.name} {self.status}".lower() for word in text.lower().split())


class RunList(Painted):
    """Shows as many runs as it has lines, and scrolls with the one that is marked."""

    COMPONENT_CLASSES = {"run-list--marked"}  # noqa: RUF012 - as Textual declares it
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
        self._runs: Sequence[ListedRun] = ()
        self._at = 0
        self._otherwise = ""

    @property
    def marked(self) -> Run | None:
        """The run that enter takes; None where there is none."""
        return self._runs[self._at].run if self._runs else None

    def show(self, runs: Sequence[ListedRun], otherwise: str) -> None:
        """List these, or say in a sentence why there are none; the mark stays on its run."""
        before = self.marked
        numbers = [number for number, each in enumerate(runs) if each.run == before]
        self._runs, self._otherwise = runs, otherwise
        self._at = numbers[0] if numbers else 0
        self.repaint()

    def move(self, by: int) -> None:
        """Mark another one."""
        self._at = max(0, min(len(self._runs) - 1, self._at + by))
        self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The runs around the marked one, and how many there are if not all are seen."""
        if not self._runs:
            return [text_strip(Text(self._otherwise, "dim"), width)]
        marked = self.get_component_rich_style("run-list--marked", partial=True)
        cells = zip(*map(_cells, self._runs), strict=True)
        columns = [max(map(len, texts)) for texts in cells]
        room = width - sum(columns) - len(_GAP) * len(columns)
        strips = [
            text_strip(_line(run, columns, room, marked if number == self._at else None), width)
            for number, run in self._window(height)
        ]
        if len(self._runs) > height:
            rest = f"{self._at + 1} of {len(self._runs)}"
            strips.append(text_strip(Text(rest.rjust(width), "dim"), width))
        return strips

    def on_click(self, event: events.Click) -> None:
        """Take the run under the pointer."""
        event.stop()
        window = self._window(self.size.height)
        if 0 <= event.y < len(window):
            self.post_message(self.Clicked(window[event.y][1].run))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Mark the next one."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Mark the one before."""
        event.stop()
        self.move(-1)

    def _window(self, height: int) -> list[tuple[int, ListedRun]]:
        """Those in sight with their numbers; where not all are, the last line counts them."""
        shown = height if len(self._runs) <= height else max(1, height - 1)
        first = max(0, min(self._at - shown // 2, len(self._runs) - shown))
        return list(enumerate(self._runs))[first : first + shown]


def _cells(run: ListedRun) -> tuple[str, str]:
    return run.status, run.best


def _line(run: ListedRun, columns: Sequence[int], room: int, style: Style | None) -> Text:
    """The name, whose end says most where there is no room for all of it, and the rest."""
    name = run.name if len(run.name) <= room else f"…{run.name[len(run.name) - room + 1 :]}"
    cells = (cell.ljust(width) for cell, width in zip(_cells(run), columns, strict=True))
    line = Text(_GAP.join([name.ljust(room), *cells]))
    if style is not None:
        line.stylize(style)
    return line
