"""Writing to stdout and stderr so that a reader who goes away ends nothing."""

import errno
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO

from ...core.wording import printable
from ..terminal.terminal import has_screen

# What a write says when nobody can read any more: a closed pipe, a terminal that is gone.
_NOBODY_READS = (errno.EPIPE, errno.EIO)
# Where JSON goes while all else that is printed goes to stderr.
_kept_stdout: TextIO | None = None


def prepare_streams() -> None:
    """Make stdout and stderr take any text: spelled out where they cannot show it.

    A stream that the program was started without (`>&-`) becomes one that goes nowhere.
    """
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """Write text to stdout at once, without control characters of the user's."""
    _write(sys.stdout, printable(text))


def write_line(text: str = "") -> None:
    """Write a line to stdout."""
    write(f"{text}\n")


def write_json(document: bytes) -> None:
    """Write a JSON document and a newline to stdout, in ASCII: right for scripts and terminals."""
    stream = sys.stdout if _kept_stdout is None else _kept_stdout
    _write(stream, re.sub(r"[^\n -~]", _escaped, document.decode()) + "\n")


@contextmanager
def stdout_kept_for_json() -> Iterator[None]:
    """Let nothing but JSON reach stdout: what a user's own task prints goes to stderr."""
    global _kept_stdout  # noqa: PLW0603 - there is one stdout, too
    _kept_stdout = sys.stdout
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _kept_stdout = None


def write_ansi(text: str) -> None:
    """Write a picture of our own, colours and all, to stdout."""
    _write(sys.stdout, f"{text}\n")


def redraw_line(text: str, width: int) -> None:
    """Write over the line that the terminal's cursor is on, cut to so many cells."""
    _write(sys.stdout, f"\r\x1b[K{printable(text)[:width]}")


def warn(text: str) -> None:
    """Write a line to stderr."""
    _write(sys.stderr, f"{printable(text)}\n")


def is_terminal() -> bool:
    """Whether stdout is a terminal that a line can be redrawn on."""
    return sys.stdout.isatty() and has_screen()


def can_open_screen() -> bool:
    """Whether there is a terminal that the app can draw on and read keys from."""
    return is_terminal() and sys.stdin is not None and sys.stdin.isatty()


def wants_colour() -> bool:
    """Whether stdout shows colours, and nobody asked for none (https://no-color.org)."""
    return is_terminal() and not os.environ.get("NO_COLOR")


def _escaped(character: re.Match[str]) -> str:
    import json  # for this alone

    return json.dumps(character[0])[1:-1]


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it stays open


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        # What follows goes nowhere, the flush at the interpreter's end included. When it is only
        # that nobody reads any more, the training that prints goes on.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if error.errno not in _NOBODY_READS:
            raise
