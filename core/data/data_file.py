"""A data file by its suffix: opened, and read by what can read it."""

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeVar

from ..errors import DataError
from ..settings.data_source import expanded
from ..settings.declaration import BUILT_IN_SOURCES, FILE_SUFFIXES
from ..wording import data_error, quoted, spelled_out, unknown

T = TypeVar("T")
Reader = Callable[[BinaryIO, str], T]


def read_data_file(source: str, readers: Mapping[str, Reader[T]]) -> T:
    """What the reader for a file's suffix makes of it.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    path = Path(expanded(source))
    name = spelled_out(str(path))
    reader = readers.get(path.suffix.lower())
    try:
        if reader is None and not path.exists():
            raise _unknown(source)
        if not stat.S_ISREG(mode := path.stat().st_mode):
            found = "a directory" if stat.S_ISDIR(mode) else "no regular file"
            raise data_error(name, found, f"a {_suffixes()} file")
        if reader is None:
            raise data_error(name, f"the suffix {quoted(path.suffix)}", _suffixes())
        with path.open("rb") as file:
            return reader(file, name)
    except FileNotFoundError:
        raise data_error(name, "no such file", f"a {_suffixes()} file that exists") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise data_error(name, f"an error ({reason})", "a file that can be read") from None


def _unknown(source: str) -> DataError:
    built_in = ", ".join(BUILT_IN_SOURCES)
    found = unknown(source, BUILT_IN_SOURCES)
    return data_error("data.source", found, f"{built_in}, or the path of a {_suffixes()} file")


def _suffixes() -> str:
    *first, last = FILE_SUFFIXES
    return f"{', '.join(first)} or {last}"
