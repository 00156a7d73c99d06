"""Who may end a run from outside: signals, and commands left in the run's directory.

A signal handler only sets a flag. The trainer asks before each step; looking for commands is a
system call, so that is done ten times a second at most.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from .control import take_commands
from .events import Event, StopRequested, StopWhen, Warned
from .interrupt import Interrupt
from .run import Run

_SECONDS_BETWEEN_LOOKS = 0.1
_GRACE_SECONDS = 1.0


class SignalFlag:
    """The signal that asked the process to end, None as long as none did."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._grace_until = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Remember the signal; another one after the grace ends the process at once.

        Within the grace it is taken for the same wish: supervisors and `timeout` send two.
        """
        del frame
        if self.received is None:
            self.received = signal.Signals(number)
            self._grace_until = time.monotonic() + _GRACE_SECONDS
        elif time.monotonic() > self._grace_until:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


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

    def __call__(self) -> Interrupt | None:
        """What the trainer shall do, None to go on."""
        if self._flag.received is not None:
            return Interrupt("now", "interrupted", f"ended by {self._flag.received.name}")
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
            if not self._run.path.exists():
                return Interrupt("now", "failed", "the run's directory is gone")
            self._take_commands()
        if self._stop is None:
            return None
        return Interrupt(self._stop, "stopped", "stopped on request")

    def _take_commands(self) -> None:
        for command in take_commands(self._run):
            if isinstance(command, str):
                self._on_event(Warned(message=command))
            elif self._stop != "now":
                self._stop = command.when
                self._on_event(StopRequested(when=command.when))
