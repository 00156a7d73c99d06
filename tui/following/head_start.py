"""A long journal read by processes of their own while this one loads and draws the screen.

Within one process reading and drawing would take turns. With two processors or more there are two
readers: the journal is cut into shares that they take in turn, so that little of it has to wait
here for what comes before it. What the readers have sent by the time they end, however they end, is
read on from where it was: each part comes with its reader's state.
"""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from ...core.run.journal import JournalReader
from .epoch_block import Arrival
from .journal_parts import SECONDS_BETWEEN_PARTS, Part

# A shorter one has been read by the time that a process has started.
LONG_JOURNAL_BYTES = 64 << 20
_SECONDS_BETWEEN_QUESTIONS = 0.05
_SHARES_A_READER = 4

Sent = tuple[Part, JournalReader]
# The first byte, and the one to stop before; None for all there is.
Share = tuple[int, int | None]


class HeadStart:
    """Reads a journal from its start, from now on.

    Raises:
        OSError: a process cannot be started.
    """

    def __init__(self, journal: Path, *, num_readers: int | None = None) -> None:
        num_readers = num_readers or min(2, _num_processors())
        starts = starts_of_shares(journal, num_readers * _SHARES_A_READER)
        self._shares: list[Share] = list(zip(starts, [*starts[1:], None], strict=True))
        self._readers = [
            _Reader(journal, self._shares[number::num_readers]) for number in range(num_readers)
        ]

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
        due = time.monotonic() + SECONDS_BETWEEN_PARTS
        last: Sent | None = None
        for last in self._sent(is_wanted):
            arrivals += last[0].arrivals
            if (now := time.monotonic()) >= due:
                yield Part(arrivals, last[0].loading), last[1]
                arrivals, due = [], now + SECONDS_BETWEEN_PARTS
        if last is not None:
            yield Part(arrivals, last[0].loading), last[1]

    def stop(self) -> None:
        """End the processes, whatever they have sent by now."""
        for each in self._readers:
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
        for number, (start, end) in enumerate(self._shares):
            offset = start
            sent = self._readers[number % len(self._readers)].sent(is_wanted)
            while offset != end:
                if (next_sent := next(sent, None)) is None:
                    return
                yield next_sent
                offset = next_sent[1].offset


class _Reader:
    """A process that reads shares of a journal, and what it has sent."""

    def __init__(self, journal: Path, shares: Sequence[Share]) -> None:
        self._queue: SimpleQueue[Sent | None] = SimpleQueue()
        program = [sys.executable, "-P", "-m", "epochtop.tui.following.journal_share"]
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the program is our own
            [*program, str(journal), *(f"{start}-{end or ''}" for start, end in shares)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads would only take memory
        )
        self._thread = Thread(target=self._receive, name="head start", daemon=True)
        self._thread.start()

    def sent(self, is_wanted: Callable[[], bool]) -> Iterator[Sent]:
        """What the process has read and nobody has taken yet, as it comes."""
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
