"""Signals that ask a training process to end: a handler only sets a flag.

The trainer asks before each step; a closed terminal (SIGHUP) ends nothing.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

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
