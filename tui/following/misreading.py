"""Searches a journal for the line that should have been an epoch, in a thread of its own."""

import threading
from collections.abc import Callable

from textual.message import Message

from ...core.run.directory import Run
from ...core.run.misread import Misread, first_misread


class MisreadFound(Message):
    """A line of a run's journal is no record."""

    def __init__(self, run: Run, misread: Misread) -> None:
        super().__init__()
        self.run = run
        self.misread = misread


def search_misread(run: Run, post: Callable[[Message], bool]) -> None:
    """Post the first such line, once it is found; a long journal takes seconds."""

    def search() -> None:
        if misread := first_misread(run.journal_path):
            post(MisreadFound(run, misread))

    threading.Thread(target=search, name=f"search in {run.name}", daemon=True).start()
