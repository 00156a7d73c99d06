"""A screen as one writes it first: Textual draws plotext's picture anew at each tick.

python -m tests.benchmarks.naive_screen RUN REDRAWS_A_SECOND
"""

import sys
from pathlib import Path

import plotext
from rich.text import Text
from textual.app import App, ComposeResult
from textual.widget import Widget

from epochtop.core import Run
from epochtop.core.events import EpochCompleted
from epochtop.core.run.journal import JournalReader


class NaiveCurve(Widget):
    """The whole history, all cells of it at each refresh."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._reader = JournalReader(run.journal_path)
        self._losses: list[tuple[float, float]] = []

    def render(self) -> Text:
        """The picture of all epochs so far."""
        for event in self._reader.read():
            if isinstance(event, EpochCompleted):
                self._losses.append((event.train_loss or 0.0, event.val_loss or 0.0))
        if len(self._losses) < 2:
            return Text("naive")
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plot_size(*self.size)
        for series, colour in zip(
            zip(*self._losses, strict=True), ((86, 180, 233), (230, 159, 0)), strict=True
        ):
            plotext.plot(list(series), marker="braille", color=colour)
        return Text.from_ansi(plotext.build(), no_wrap=True, end="")


class NaiveApp(App[None]):
    """The curve, as large as the screen."""

    CSS = "NaiveCurve { width: 1fr; height: 1fr; }"

    def __init__(self, run: Run, rate: float) -> None:
        super().__init__()
        self._run = run
        self._rate = rate

    def compose(self) -> ComposeResult:
        """One widget."""
        yield NaiveCurve(self._run)

    def on_mount(self) -> None:
        """Draw again and again."""
        self.set_interval(1 / self._rate, self.query_one(NaiveCurve).refresh)


if __name__ == "__main__":
    NaiveApp(Run(Path(sys.argv[1])), float(sys.argv[2])).run()
