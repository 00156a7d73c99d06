"""A long journal read by a process of its own while this one loads and draws the screen.

Within one process the two would take turns. What the reading process has sent by the time it
ends, however it ends, is read on from where it was: each part comes with its reader's state.
"""

import gc
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import BinaryIO, Self

from ...core.run.journal import JournalReader
from .journal_parts import Part, new_parts

# A shorter one has been read by the time that a process has started.
LONG_JOURNAL_BYTES = 64 << 20
_SECONDS_BETWEEN_QUESTIONS = 0.05

Sent = tuple[Part, JournalReader]


class HeadStart:
    """Reads a journal from its start, from now on.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(self, journal: Path) -> None:
        self._sent: SimpleQueue[Sent | None] = SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the program is our own
            [sys.executable, "-P", "-m", "epochtop.tui.following.head_start", str(journal)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = Thread(target=self._receive, name="head start", daemon=True)
        self._thread.start()

    @classmethod
    def on_long(cls, journal: Path) -> Self | None:
        """A head start on a long journal, None for a short one or where none can be had."""
        with suppress(OSError):
            if journal.stat().st_size >= LONG_JOURNAL_BYTES:
                return cls(journal)
        return None

    def parts(self, is_wanted: Callable[[], bool]) -> Iterator[Sent]:
        """The parts as they come, each with the reader that goes on after it."""
        while is_wanted():
            try:
                sent = self._sent.get(timeout=_SECONDS_BETWEEN_QUESTIONS)
            except Empty:
                continue
            if sent is None:
                return
            yield sent

    def stop(self) -> None:
        """End the process, whatever it has sent by now."""
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _receive(self) -> None:
        """Take what comes, so that the process never waits for the screen."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with self._process.stdout as pipe, suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                self._sent.put(pickle.load(pipe))  # noqa: S301 - from our own process
        self._sent.put(None)


def send_parts(journal: Path, pipe: BinaryIO) -> None:
    """Write a journal's parts to a pipe; the reading process's own work."""
    reader = JournalReader(journal)
    for part in new_parts(reader, lambda: True):
        pickle.dump((part, reader), pipe, pickle.HIGHEST_PROTOCOL)
        pipe.flush()


if __name__ == "__main__":
    gc.disable()  # it would look for circles among a million records, and there are none
    with suppress(BrokenPipeError):  # nobody is there any more
        send_parts(Path(sys.argv[1]), sys.stdout.buffer)
