"""A long journal read by processes of their own while this one loads and draws the screen.

Within one process reading and drawing would take turns. With two processors or more the second half
is read beside the first one, and waits here until that has come. What the processes have sent by
the time they end, however they end, is read on from where it was: each part comes with its reader's
state.
"""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from ...core.run.journal import JournalReader
from .epoch_block import Arrival
from .journal_parts import Part, seconds_to_next

# A shorter one has been read by the time that a process has started.
LONG_JOURNAL_BYTES = 64 << 20
_SECONDS_BETWEEN_QUESTIONS = 0.05

Sent = tuple[Part, JournalReader]


class HeadStart:
    """Reads a journal from its start, from now on.

    Raises:
        OSError: a process cannot be started.
    """

    def __init__(self, journal: Path, *, num_readers: int | None = None) -> None:
        starts = starts_of_shares(journal, num_readers or min(2, _num_processors()))
        ends = [*starts[1:], None]
        self._shares: list[_Share] = []
        with suppress(OSError):  # what the processes that there are read no further is read here
            for start, end in zip(starts, ends, strict=True):
                self._shares.append(_Share(journal, start, end))
        if not self._shares:
            raise OSError(f"no process can be started to read {journal}")

    @classmethod
    def on_long(cls, journal: Path) -> Self | None:
        """A head start on a long journal, None for a short one or where none can be had."""
        with suppress(OSError):
            if journal.stat().st_size >= LONG_JOURNAL_BYTES:
                return cls(journal)
        return None

    def parts(self, is_wanted: Callable[[], bool]) -> Iterator[Sent]:
        """What has come up to now, part after part, each with the reader that goes on after it."""
        arrivals: list[Arrival] = []
        began = time.monotonic()
        due = began + seconds_to_next(0.0)
        last: Sent | None = None
        for last in self._sent(is_wanted):
            arrivals += last[0].arrivals
            if (now := time.monotonic()) >= due:
                yield Part(arrivals, last[0].loading), last[1]
                arrivals, due = [], now + seconds_to_next(now - began)
        if last is not None:
            yield Part(arrivals, last[0].loading), last[1]

    def stop(self) -> None:
        """End the processes, whatever they have sent by now."""
        for each in self._shares:
            each.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _sent(self, is_wanted: Callable[[], bool]) -> Iterator[Sent]:
        """What was read, in the journal's order, up to the first gap in it."""
        for share in self._shares:
            offset = share.start
            for part, reader in share.sent(is_wanted):
                offset = reader.offset
                yield part, reader
            if offset != share.end:
                return


class _Share:
    """A part of a journal, and the process that reads it."""

    def __init__(self, journal: Path, start: int, end: int | None) -> None:
        self.start, self.end = start, end
        self._queue: SimpleQueue[Sent | None] = SimpleQueue()
        program = [sys.executable, "-P", "-m", "epochtop.tui.following.journal_share"]
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the program is our own
            [*program, str(journal), str(start), "" if end is None else str(end)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads would only take memory
        )
        self._thread = Thread(target=self._receive, name="head start", daemon=True)
        self._thread.start()

    def sent(self, is_wanted: Callable[[], bool]) -> Iterator[Sent]:
        """What the process has read, as it comes."""
        while is_wanted():
            try:
                sent = self._queue.get(timeout=_SECONDS_BETWEEN_QUESTIONS)
            except Empty:
                continue
            if sent is None:
                return
            yield sent

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _receive(self) -> None:
        """Take what comes, so that the process never waits for the screen."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with self._process.stdout as pipe, suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                self._queue.put(pickle.load(pipe))  # noqa: S301 - from our own process
        self._queue.put(None)


def starts_of_shares(journal: Path, count: int) -> list[int]:
    """The bytes at which about equal shares of a journal begin, each a line's first."""
    starts = [0]
    with suppress(OSError), journal.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for number in range(1, count):
            file.seek(size * number // count)
            file.readline()
            if starts[-1] < file.tell() < size:
                starts.append(file.tell())
    return starts


def _num_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
