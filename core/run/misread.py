"""What is wrong with a journal's line that ought to be an epoch: for those who write their own.

A reader leaves out what it does not know, as a later version may write it. Of an epoch that is
left out somebody should hear.
"""

from pathlib import Path

import msgspec

from ..events import EpochCompleted
from .journal import decode


class Misread(msgspec.Struct, frozen=True):
    """A line, counted from 1, and why it is no record."""

    line: int
    why: str


class _Tagged(msgspec.Struct, frozen=True):
    event: str = ""


def first_misread(journal: Path) -> Misread | None:
    """The first line that is no JSON object, or an epoch that cannot be read; None without any.

    A last line that has not ended is being written.
    """
    try:
        with journal.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip() and line.endswith(b"\n") and (why := _why_misread(line)):
                    return Misread(number, why)
    except OSError:  # none there, or not for us: nothing is read of it
        return None
    return None


def _why_misread(line: bytes) -> str:
    """What is wrong with a line; empty where nothing is, or where it is another record."""
    if decode(line) is not None:
        return ""
    try:
        tagged = msgspec.json.decode(line, type=_Tagged)
        if tagged.event == "epoch_completed":
            msgspec.json.decode(line, type=EpochCompleted)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return str(error)
    return ""
