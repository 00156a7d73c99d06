"""The requests to a live engine that wait for an answer, and what is said of them meanwhile."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from ...core.events import Event
from ...core.run.control import Command, Pause, Unpause, send_command
from ...core.run.directory import Run
from .pending import Pending, newly_late, still_pending, with_late


class Teller(Protocol):
    """Says something in the event log, in a line that can be withdrawn by its key."""

    def __call__(self, text: str, *, is_late: bool, key: str) -> None:
        """Say it."""


class Asking:
    """Asks engines, and remembers what they have not answered.

    Args:
        show: is given the requests that wait whenever they change.
        tell: says what was asked for, and what is late.
        withdraw: takes a line back once the journal tells that it was done.
    """

    def __init__(
        self,
        show: Callable[[Sequence[Pending]], None],
        tell: Teller,
        withdraw: Callable[[str], None],
    ) -> None:
        self._show = show
        self._tell = tell
        self._withdraw = withdraw
        self._pending: tuple[Pending, ...] = ()

    @property
    def is_about_to_pause_or_go_on(self) -> bool:
        """Whether a pause, or its end, was asked for and has not come yet."""
        return any(isinstance(each.command, Pause | Unpause) for each in self._pending)

    def send(self, run: Run, command: Command) -> None:
        """Leave a live engine a command.

        Raises:
            OSError: the run's directory cannot be written.
        """
        asked = Pending(command, time.time(), send_command(run, command))
        self._wait_for((*self._pending, asked))
        self._tell(asked.asked, is_late=False, key=asked.key)

    def note_answers(self, events: Sequence[Event]) -> None:
        """Let go of the requests that the journal has answered."""
        is_taken = [not each.file.exists() for each in self._pending]
        waiting = still_pending(self._pending, events, is_taken)
        for answered in (each for each in self._pending if each not in waiting):
            self._withdraw(answered.key)
        self._wait_for(waiting)

    def note_time(self, now: float) -> None:
        """Say which requests have waited too long."""
        late = newly_late(self._pending, now)
        for each in late:
            text = f"{each.asked} no answer yet; it has the request"
            self._tell(text, is_late=True, key=each.key)
        if late:
            self._wait_for(with_late(self._pending, late))

    def give_up(self) -> None:
        """Nobody answers any more."""
        for each in self._pending:
            self._withdraw(each.key)
        self._wait_for(())

    def _wait_for(self, pending: tuple[Pending, ...]) -> None:
        if pending != self._pending:
            self._pending = pending
            self._show(pending)
