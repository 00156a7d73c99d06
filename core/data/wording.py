"""How messages about data are worded, safe to print on a terminal."""

from collections.abc import Sequence
from difflib import get_close_matches

from ..errors import DataError

MAX_QUOTED = 60
MAX_LISTED = 10


def data_error(where: str, found: str, allowed: str) -> DataError:
    """An error that says where, what was found there and what is allowed."""
    return DataError(f"{where}: found {found}; allowed: {allowed}")


def printable(text: str) -> str:
    """Text with every character that could steer a terminal written as an escape."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def quoted(text: str) -> str:
    """A column's name or a cell, in quotes and not longer than a message can bear."""
    cut = text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"
    return f"'{printable(cut)}'"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(quoted(name) for name in names[:MAX_LISTED])
    more = len(names) - MAX_LISTED
    return f"{text} and {more:,} more" if more > 0 else text


def nearest(name: str, options: Sequence[str]) -> str:
    """A question that offers the option most like a name, in any case; empty without one."""
    lowered = {option.lower(): option for option in reversed(options)}
    match = get_close_matches(name.lower(), lowered, n=1)
    return f" (did you mean {quoted(lowered[match[0]])}?)" if match else ""
