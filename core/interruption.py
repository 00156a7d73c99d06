"""Who may end a run from outside: signals, and commands left in the run's directory.

A signal handler only sets a flag. The trainer asks before each step; looking for commands is a
system call, so that is done ten times a second at most.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from .control import take_commands
from .events import Event, StopRequested, StopWhen, Warned
from .run import Run

if TYPE_CHECKING:
    from .trainer import Interrupt

_SECONDS_BETWEEN_LOOKS = 0.1


class SignalFlag:
    """The signal that asked the process to end, None as long as none did."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Remember the signal; a second one ends the process at once, by its default action."""
        del frame
        self.received = signal.Signals(number)
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_DFL)


@contextmanager
def ending_signals() -> Iterator[SignalFlag]:
    """Turn Ctrl-C and SIGTERM into a flag, and let a closed terminal (SIGHUP) end nothing."""
    flag = SignalFlag()
    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGINT, flag),
            (signal.SIGTERM, flag),
            (signal.SIGHUP, signal.SIG_IGN),
        )
    }
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Interruption:
    """Asked before each step whether the run shall end."""

    def __init__(self, run: Run, flag: SignalFlag, on_event: Callable[[Event], None]) -> None:
        self._run = run
        self._flag = flag
        self._on_event = on_event
        self._stop: StopWhen | None = None
        self._next_look = 0.0

    def __call__(self) -> "Interrupt | None":
        """What the trainer shall do, None to go on."""
        if self._flag.received is not None:
            return _interrupt("now", f"ended by {self._flag.received.name}", signalled=True)
        if time.monotonic() >= self._next_look:
            self._take_commands()
            self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
        if self._stop is None:
            return None
        return _interrupt(self._stop, "stopped on request", signalled=False)

    def _take_commands(self) -> None:
        for command in take_commands(self._run):
            if isinstance(command, str):
                self._on_event(Warned(message=command))
            elif self._stop != "now":
                self._stop = command.when
                self._on_event(StopRequested(when=command.when))


def _interrupt(when: StopWhen, message: str, *, signalled: bool) -> "Interrupt":
    from .trainer import Interrupt

    return Interrupt(when, "interrupted" if signalled else "stopped", message)
