"""Chooses one of the other runs, newest first; typing narrows them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from ...core.run.directory import Run, list_runs
from ...core.run.status import summarise
from ..form.lookup import Lookup
from ..widgets.run_list import ListedRun, RunList
from ..words.wording import printable

# So many runs are read before the first are shown, and again before the next.
_READ_AT_ONCE = 40
_STEPS = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}


class RunChooser(ModalScreen[Run]):
    """Offers the runs of a directory.

    Args:
        runs: the directory.
        without: those that are compared already.
    """

    DEFAULT_CSS = """
    RunChooser {
        align: center middle;
        Vertical {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $accent; background: $surface; padding: 0 1;
        }
        Label { width: 1fr; }
        RunList { height: 14; max-height: 60vh; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("ctrl+q,ctrl+c", "dismiss(None)", show=False),
    ]

    class _Read(Message):
        """More runs have been read, perhaps the last."""

        def __init__(self, runs: tuple[ListedRun, ...], *, is_all: bool) -> None:
            super().__init__()
            self.runs, self.is_all = runs, is_all

    def __init__(self, runs: Path, without: Collection[Run]) -> None:
        super().__init__()
        self._directory = runs
        self._without = {run.path.resolve() for run in without}
        self._runs: list[ListedRun] = []
        self._has_read_all = False
        self._lookup: Lookup[Message] = Lookup(self.post_message)

    def compose(self) -> ComposeResult:
        """What is asked, what was typed, and the runs."""
        with Vertical():
            yield Label("Compare with which run?")
            yield Input(placeholder="type to find one", compact=True)
            yield RunList()

    def on_mount(self) -> None:
        """Read the runs, which may be many, without waiting for them."""
        self._show()
        self._lookup.ask(self._read)

    def on_run_chooser__read(self, message: _Read) -> None:
        """Offer them, too."""
        message.stop()
        self._runs += message.runs
        self._has_read_all = message.is_all
        self._show()

    def on_input_changed(self) -> None:
        """Offer what fits the text."""
        self._show()

    def on_run_list_clicked(self, message: RunList.Clicked) -> None:
        """Take the run that was clicked on."""
        message.stop()
        self.dismiss(message.run)

    def on_key(self, event: events.Key) -> None:
        """Walk through the runs and take one, while the field keeps the focus."""
        if event.key in _STEPS:
            self.query_one(RunList).move(_STEPS[event.key])
        elif event.key == "enter":
            if run := self.query_one(RunList).marked:
                self.dismiss(run)
        elif event.key not in ("tab", "shift+tab"):
            return
        event.stop()
        event.prevent_default()

    def _show(self) -> None:
        text = self.query_one(Input).value
        fitting = [run for run in self._runs if run.fits(text)]
        self.query_one(RunList).show(fitting, self._why_none(text))

    def _why_none(self, text: str) -> str:
        if not self._has_read_all:
            return "reading the runs ..."
        if self._runs:
            return f"no run is called {printable(text)}"
        return f"there is no other run in {printable(str(self._directory))}"

    def _read(self) -> Message:
        """Read all runs; what is read by the way is shown. In a thread of its own."""
        part: list[ListedRun] = []
        for run in self._others():
            part.append(ListedRun.of(summarise(run)))
            if len(part) == _READ_AT_ONCE:
                if not self.post_message(self._Read(tuple(part), is_all=False)):
                    break  # nobody chooses any more
                part.clear()
        return self._Read(tuple(part), is_all=True)

    def _others(self) -> Iterator[Run]:
        for run in reversed(list_runs(self._directory)):
            if run.path.resolve() not in self._without:
                yield run
