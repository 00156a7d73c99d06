"""The journal: one JSON object a line, appended by the engine, read by everything else.

The writer adds whole lines with one system call each, so a reader sees a torn line only when
the engine was killed inside that call. A reader keeps such a tail back until its newline comes,
and leaves out what it does not know.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from ..events import Event

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)

_CHUNK_BYTES = 1 << 18
# The first record holds the run's name, process and settings: two journals differ within these.
_HEAD_BYTES = 512


def encode(event: Event) -> bytes:
    """An event as the journal's line, without the newline."""
    try:
        return _encoder.encode(event)
    except UnicodeEncodeError:
        return _encoder.encode(_encodable(msgspec.to_builtins(event)))


def decode(line: bytes) -> Event | None:
    """The event of a line, None when the line is none that this version knows."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_with_nan(line) if b"NaN" in line or b"Infinity" in line else None


def decode_lines(buffer: bytearray, end: int) -> list[Event]:
    """The events of a buffer's whole lines up to `end`, without those this version does not know.

    Together they take half the time of one by one. Where that fails, or where a line was not a
    record on its own, each is looked at by itself.
    """
    try:
        events = _decoder.decode_lines(memoryview(buffer)[:end])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        events = []
    if len(events) == buffer.count(b"\n", 0, end):
        return events
    lines = bytes(memoryview(buffer)[:end]).split(b"\n")
    return [event for line in lines if (event := decode(line)) is not None]


def _decode_with_nan(line: bytes) -> Event | None:
    """The event of a line in which a loss is `NaN` or `Infinity`, which are not JSON.

    Python's own `json` writes them unasked, and so do the loops that use it.
    """
    import json  # late, as the engine's own journals have no such line

    try:
        plain = json.loads(line, parse_constant=lambda _: None)
        event: Event = msgspec.convert(plain, Event)
    except (ValueError, RecursionError):
        return None
    return event


def _encodable(value: Any) -> Any:
    """The same value with bytes that are not UTF-8 (in a file's name, say) spelled out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


class JournalWriter:
    """Appends events to a journal, one process at a time.

    A disk that is full, or away for a while, must not end the training: what it refuses is held
    back and written before the next event, in order.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        self._waiting: list[bytes] = []
        self._must_end_line = True

    def append(self, event: Event) -> None:
        """Add a line, or hold it back as long as the disk refuses it."""
        self._waiting.append(encode(event) + b"\n")
        try:
            self._write_waiting()
        except OSError as error:
            if len(self._waiting) == 1:
                print(f"the journal cannot be written: {error}", file=sys.stderr)

    @property
    def num_waiting(self) -> int:
        """How many events the disk has refused so far."""
        return len(self._waiting)

    def sync(self) -> None:
        """Wait until all lines are on the disk, if it takes them."""
        with suppress(OSError):  # `append` has said it
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _write_waiting(self) -> None:
        while self._waiting:
            if self._must_end_line:
                self._end_torn_line()
            line = self._waiting[0]
            self._must_end_line = os.write(self._file, line) < len(line)
            if not self._must_end_line:
                del self._waiting[0]

    def _end_torn_line(self) -> None:
        """Give a line that a killed engine or a full disk cut short its newline."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")


class JournalReader:
    """Reads a journal from its start, or its end, and call after call what has been added.

    A journal that was cut short or replaced by another is read again from its start, which
    `restarts` counts. That is told from its first bytes and its size, since a copy that another
    machine keeps up to date is a new file each time and yet the same journal.

    Args:
        path: the journal, which need not be there yet.
        from_end: leave out what is there already.
        start: the byte to begin at, which must be a line's first.
        chunk_bytes: how much is read at once; what a processor's cache holds is fastest.
    """

    def __init__(
        self,
        path: Path,
        *,
        from_end: bool = False,
        start: int = 0,
        chunk_bytes: int = _CHUNK_BYTES,
    ) -> None:
        self._path = path
        self._chunk_bytes = chunk_bytes
        self._offset = start
        self._size = 0
        self._head = b""
        self._tail = b""
        self.restarts = 0
        if from_end:
            self._skip_to_end()

    @property
    def offset(self) -> int:
        """How many bytes of the journal have been read."""
        return self._offset

    @property
    def share(self) -> float:
        """How much of the journal, as large as it was at the last call, has been read: 0 to 1."""
        return min(1.0, self._offset / self._size) if self._size else 1.0

    def read(self) -> list[Event]:
        """All events added since the last call; empty when there is no journal yet."""
        return [event for events in self.chunks() for event in events]

    def chunks(self, end: int | None = None) -> Iterator[list[Event]]:
        """The events added since the last call, in pieces: the first can be shown early.

        Args:
            end: the byte to stop before, which must be a line's first; None for all.
        """
        try:
            with self._path.open("rb", buffering=0) as file:
                self._start_over_if_replaced(file)
                yield from self._events_in(file, end)
        except OSError:  # there is none yet, or it cannot be read now; the next call tries again
            return

    def _events_in(self, file: FileIO, stop: int | None) -> Iterator[list[Event]]:
        """Read into one buffer, before which the start of a line is kept until its end comes."""
        room = min(self._chunk_bytes, max(1, self._size - self._offset))
        buffer = bytearray(self._tail).ljust(len(self._tail) + room)
        while num_read := file.readinto(self._free_part(buffer, stop)):
            self._offset += num_read
            filled = len(self._tail) + num_read
            end = buffer.rfind(b"\n", 0, filled) + 1
            events = decode_lines(buffer, end)
            self._tail = bytes(memoryview(buffer)[end:filled])
            if len(buffer) < len(self._tail) + room:
                buffer = buffer.ljust(2 * len(buffer))
            buffer[: len(self._tail)] = self._tail
            if events:
                yield events

    def _free_part(self, buffer: bytearray, stop: int | None) -> memoryview:
        """Where to read to, behind the line that has begun."""
        free = memoryview(buffer)[len(self._tail) :]
        return free if stop is None else free[: max(0, stop - self._offset)]

    def _start_over_if_replaced(self, file: FileIO) -> None:
        head = file.read(_HEAD_BYTES)
        self._size = os.fstat(file.fileno()).st_size
        if self._size < self._offset or not head.startswith(self._head):
            self._offset, self._tail = 0, b""
            self.restarts += 1
        self._head = head
        file.seek(self._offset)

    def _skip_to_end(self) -> None:
        with suppress(OSError), self._path.open("rb", buffering=0) as file:
            self._head = file.read(_HEAD_BYTES)
            self._offset = self._size = file.seek(0, os.SEEK_END)


def read_first(path: Path) -> Event | None:
    """The first event of a journal, None when it has none."""
    try:
        with path.open("rb") as file:
            events = (decode(line) for line in file if line.endswith(b"\n"))
            return next((event for event in events if event is not None), None)
    except OSError:  # none there, or not for us: a run that says nothing
        return None


def read_backwards(path: Path, *, chunk_bytes: int = 1 << 16) -> Iterator[Event]:
    """The events of a journal from its last to its first, without reading more than is asked."""
    try:
        with path.open("rb") as file:
            yield from _lines_backwards(file, chunk_bytes)
    except OSError:  # as above
        return


def _lines_backwards(file: BinaryIO, chunk_bytes: int) -> Iterator[Event]:
    position = file.seek(0, os.SEEK_END)
    head = b""
    while position > 0:
        size = min(chunk_bytes, position)
        position -= size
        file.seek(position)
        head, *lines = (file.read(size) + head).split(b"\n")
        for line in reversed(lines):
            if (event := decode(line)) is not None:
                yield event
    if (event := decode(head)) is not None:
        yield event
