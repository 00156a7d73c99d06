"""The journal: one JSON object a line, appended by the engine, read by everything else.

The writer adds whole lines with one system call each, so a reader sees a torn line only when
the engine was killed inside that call. A reader keeps such a tail back until its newline comes,
and leaves out what it does not know.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from ..events import Event

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


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
        return None


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
    """Reads a journal from its start, or its end, and call after call what has been added."""

    def __init__(self, path: Path, *, from_end: bool = False, chunk_bytes: int = 4 << 20) -> None:
        self._path = path
        self._chunk_bytes = chunk_bytes
        self._offset = path.stat().st_size if from_end and path.exists() else 0
        self._tail = b""

    def read(self) -> list[Event]:
        """All events added since the last call; empty when there is no journal yet."""
        return [event for events in self.chunks() for event in events]

    def chunks(self) -> Iterator[list[Event]]:
        """The events added since the last call, in pieces: the first can be shown early."""
        while lines := self._next_lines():
            yield [event for line in lines if (event := decode(line)) is not None]

    def _next_lines(self) -> list[bytes]:
        """The whole lines of the next chunk, or of as many as one line needs."""
        lines: list[bytes] = []
        while not lines and (data := self._next_bytes()):
            *lines, self._tail = (self._tail + data).split(b"\n")
        return lines

    def _next_bytes(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(self._chunk_bytes)
        except OSError:  # there is none yet, or it cannot be read now; the next call tries again
            return b""
        self._offset += len(data)
        return data


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
