"""Where rows come from: a built-in set, or a file by its suffix."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError
from ..settings.data_source import FILE_SUFFIXES, expanded
from ..settings.declaration import BUILT_IN_SOURCES, DataSettings
from ..wording import data_error, quoted, spelled_out, unknown
from .built_in import read_built_in
from .csv_file import read_csv
from .npz_file import read_npz
from .parquet_file import read_parquet
from .table import Table, check_rows

READERS: dict[str, Callable[[BinaryIO, str], Table]] = dict(
    zip(FILE_SUFFIXES, (read_csv, read_parquet, read_npz), strict=True)
)


def read_source(settings: DataSettings) -> Table:
    """Read all rows of a source and check that they can be used as they are.

    Raises:
        DataError: there is no such source, or it cannot be read.
    """
    if settings.source in BUILT_IN_SOURCES:
        return read_built_in(settings.source, settings.seed)
    table = _read_file(settings.source)
    check_rows(table)
    return table


def _read_file(source: str) -> Table:
    path = Path(expanded(source))
    name = spelled_out(str(path))
    reader = READERS.get(path.suffix.lower())
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
    *first, last = READERS
    return f"{', '.join(first)} or {last}"
