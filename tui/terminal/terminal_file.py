"""What the screen is drawn on: a terminal that may be gone, or that nobody reads any more.

A terminal whose reader stands still (a connection that hangs, a stopped emulator) takes no byte
and says nothing: a write to it never returns, and whoever waits for that write hears no signal.
"""

import os
import select
import threading
from collections.abc import Callable
from typing import TextIO

# A slow line takes a byte now and then; one that takes none for so long is not read.
_SECONDS_TO_TAKE_A_BYTE = 1.0


class TerminalFile:
    """Swallows what is drawn while nobody reads it; whoever draws then has to draw anew.

    Args:
        file: the stream of the terminal.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._unblocked = _opened_anew(file)
        self._sending = threading.Lock()
        self._rest = b""
        self._has_missed = False
        self.is_gone = False
        self.is_stalled = False

    def write(self, text: str) -> None:
        """Write, unless nobody sees it; waits for a slow reader, not for one that stands still."""
        if self._unblocked is None:
            self._try(lambda: self._file.write(text))
        elif not self.is_stalled or self._send(b"", seconds=0.0):
            self._send(text.encode(self._file.encoding, "backslashreplace"))
        else:
            self._has_missed = True

    def flush(self) -> None:
        """Flush, likewise."""
        if self._unblocked is None:
            self._try(self._file.flush)

    def has_missed(self) -> bool:
        """Whether it takes bytes again after it has missed some; said once."""
        if not self._has_missed or (self.is_stalled and not self._send(b"", seconds=0.0)):
            return False
        self._has_missed = False
        return True

    def fileno(self) -> int:
        """The terminal's file descriptor."""
        return self._file.fileno()

    def _send(self, more: bytes, seconds: float = _SECONDS_TO_TAKE_A_BYTE) -> bool:
        """Send what waits and more; whether the terminal took it, a byte each so many seconds."""
        with self._sending:
            self._rest += more
            self._try(lambda: self._send_rest(seconds))
            return not (self.is_gone or self.is_stalled)

    def _send_rest(self, seconds: float) -> None:
        """Send what waits; a sequence that was begun goes on from where it was left."""
        self.is_stalled = False
        while self._unblocked is not None and self._rest and not self.is_stalled:
            _, is_taking, _ = select.select([], [self._unblocked], [], seconds)
            try:
                self._rest = self._rest[os.write(self._unblocked, self._rest) :]
            except BlockingIOError:
                self.is_stalled = not is_taking

    def _try(self, write: Callable[[], object]) -> None:
        if self.is_gone:
            return
        try:
            write()
        except (OSError, ValueError):  # the latter of a file that is closed
            self.is_gone = True


def _opened_anew(file: TextIO) -> int | None:
    """The same terminal, opened so that a write waits for nobody; None where it is none.

    Not the stream's own descriptor: that is the shell's, too, which would have to live with it.
    """
    try:
        name = os.ttyname(file.fileno())
        return os.open(name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):  # a file, or somebody else's terminal, as after `su`
        return None
