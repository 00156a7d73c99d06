"""Writing to stdout and stderr so that a reader who goes away ends nothing."""

import os
import sys
from typing import TextIO

from .wording import printable


def write(text: str) -> None:
    """Write text to stdout at once, without control characters of the user's."""
    _write(sys.stdout, printable(text))


def write_line(text: str = "") -> None:
    """Write a line to stdout."""
    write(f"{text}\n")


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
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def can_open_screen() -> bool:
    """Whether there is a terminal that the app can draw on and read keys from."""
    return is_terminal() and sys.stdin.isatty()


def wants_colour() -> bool:
    """Whether stdout shows colours, and nobody asked for none (https://no-color.org)."""
    return is_terminal() and not os.environ.get("NO_COLOR")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # The pipe is closed or the terminal gone. What follows goes nowhere, the flush at the
        # interpreter's end included, and the training that prints goes on.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
