"""How messages about settings and data are worded, safe to print on a terminal."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches

from .errors import DataError, SettingProblem

MAX_QUOTED = 60
MAX_FOUND = 80
MAX_LISTED = 10
# Controls, invisible ones that change what is read, halves of characters, and line separators.
_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str) -> str:
    """Text for a terminal: all that could steer it but line breaks and tabs as an escape."""
    return _escaped(text, _steers_nothing)


def spelled_out(text: str) -> str:
    """Text on one line in which everything can be seen: an odd blank is an escape as well."""
    return _escaped(text, str.isprintable)


def quoted(text: str) -> str:
    """A column's name or a cell, in quotes and not longer than a message can bear."""
    cut = text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"
    return f"'{spelled_out(cut)}'"


def found_text(value: object) -> str:
    """A setting's value as a message quotes it: text in quotes, a long one cut."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table of keys"
    try:
        text = spelled_out(f'"{value}"' if isinstance(value, str) else str(value))
    except ValueError:  # Python writes no more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= MAX_FOUND else f"{text[: MAX_FOUND - 4]}..."


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    text = ", ".join(quoted(name) for name in names[:MAX_LISTED])
    more = len(names) - MAX_LISTED
    return f"{text} and {more:,} more" if more > 0 else text


def nearest(name: str, options: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The option most like a name, in any case; None when none is at least `cutoff` alike."""
    lowered = {option.lower(): option for option in reversed(list(options))}
    match = get_close_matches(name.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[match[0]] if match else None


def unknown(name: str, options: Iterable[str]) -> str:
    """A name that is none of the options, in quotes, with a question that offers the nearest."""
    match = nearest(name, options)
    return quoted(name) + (f" (did you mean {quoted(match)}?)" if match else "")


def did_you_mean(option: str) -> str:
    """What to write instead of something misspelt."""
    return f"{option} (did you mean this?)"


def one_of(options: Iterable[str]) -> str:
    """All that is allowed."""
    return "one of " + ", ".join(options)


def data_error(where: str, found: str, allowed: str) -> DataError:
    """An error that says where, what was found there and what is allowed."""
    return DataError(str(SettingProblem(where, found, allowed)))


def _escaped(text: str, stays: Callable[[str], bool]) -> str:
    return "".join(character if stays(character) else _escape(character) for character in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _steers_nothing(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in _STEERING
