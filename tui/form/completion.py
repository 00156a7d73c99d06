"""What a text could go on to: names, directories and files, functions of a file."""

import ast
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ...core.settings.data_source import expanded
from ...core.settings.declaration import FileChoice
from ...core.settings.values import is_plain

# A directory of a million files shall not be read for a key.
_MOST_ENTRIES = 20_000
_MOST_CHOICES = 200
_LARGEST_SOURCE = 1_000_000


def completions(text: str, choice: FileChoice) -> tuple[str, ...]:
    """What begins with a text: names, then directories (with a slash at the end) and files.

    Reads directories, and so may take as long as the disk or the network likes.

    Args:
        text: what was typed so far; `~` stands for the home directory.
        choice: what is looked for.
    """
    if choice.function and ".py:" in text:
        return _functions(text)
    names = [name for name in choice.names if name.startswith(text)]
    return (*names, *islice(_paths(text, choice), _MOST_CHOICES))


def _paths(text: str, choice: FileChoice) -> Iterator[str]:
    typed, slash, start = text.rpartition("/")
    if text == "~":
        yield "~/"
        return
    end = ":" if choice.function else ""
    for name, is_directory in _entries(Path(expanded(typed + slash) or "."), start):
        if is_directory:
            yield f"{typed}{slash}{name}/"
        elif Path(name).suffix.lower() in choice.suffixes:
            yield f"{typed}{slash}{name}{end}"


def _entries(directory: Path, start: str) -> list[tuple[str, bool]]:
    """Names that begin so, directories first; hidden ones only when a dot was typed."""
    try:
        with os.scandir(directory) as entries:
            found = [
                (entry.name, _is_directory(entry))
                for entry in islice(entries, _MOST_ENTRIES)
                if entry.name.startswith(start)
                and is_plain(entry.name)
                and (start or not entry.name.startswith("."))
            ]
    except (OSError, ValueError):  # no such directory, or one that may not be read
        return []
    return sorted(found, key=lambda entry: (not entry[1], entry[0]))


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _functions(text: str) -> tuple[str, ...]:
    """The functions at the top of a Python file, which is read and not run."""
    file, _, start = text.rpartition(":")
    path = Path(expanded(file))
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_SOURCE:
            return ()
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return tuple(f"{file}:{name}" for name in names if name.startswith(start))
