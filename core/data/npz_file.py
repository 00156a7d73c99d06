"""An .npz file: arrays of one length, each a column or a block of columns."""

import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl

from ..wording import data_error, quoted, spelled_out
from .cells import without_missing
from .table import Table, check_column_names

Array = npt.NDArray[Any]

# What numpy and zipfile raise for broken, encrypted, pickled or absurdly large content.
_UNREADABLE = (
    *(ValueError, KeyError, EOFError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
# The kinds of types that an array of so many dimensions may have.
_KINDS = {1: "fiubU", 2: "fiu"}
_ALLOWED = "1-D arrays of numbers, text or truth values, and 2-D arrays of numbers"


def read_npz(file: BinaryIO, name: str) -> Table:
    """Read an .npz file; a 2-D array `x` gives the columns `x[0]`, `x[1]` and so on.

    Args:
        file: open for reading bytes.
        name: what messages call the file.

    Raises:
        DataError: it is no .npz file, or an array does not fit a table.
    """
    arrays = _arrays(file, name)
    _check_shapes(arrays, name)
    columns = [column for key, array in arrays.items() for column in _columns(key, array, name)]
    check_column_names(name, [column.name for column in columns])
    frame = pl.DataFrame(columns)
    return Table(name, frame, range(1, frame.height + 1))


def npz_header(file: BinaryIO, name: str) -> dict[str, str]:
    """The columns of an .npz file and what they hold, from its arrays' headers alone.

    Raises:
        DataError: it is no .npz file.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            shapes = {entry: _shape(archive, entry) for entry in archive.namelist()}
    except _UNREADABLE as error:
        reason = spelled_out(str(error).partition(". ")[0])
        raise data_error(name, f"no plain .npz ({reason})", _ALLOWED) from None
    holds: dict[str, str] = {}
    for entry, (shape, kind) in shapes.items():
        key = entry.removesuffix(".npy")
        blocks = shape[1] if len(shape) == 2 else 0
        columns = [f"{key}[{index}]" for index in range(blocks)] if len(shape) == 2 else [key]
        holds |= dict.fromkeys(columns, "numbers" if kind in "fiu" else "text")
    return holds


def _shape(archive: zipfile.ZipFile, entry: str) -> tuple[tuple[int, ...], str]:
    with archive.open(entry) as array:
        version = np.lib.format.read_magic(array)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(array)
    return shape, dtype.kind


def _arrays(file: BinaryIO, name: str) -> dict[str, Array]:
    try:
        content = np.load(file, allow_pickle=False)
        if isinstance(content, np.ndarray):
            raise data_error(name, "a single array (.npy)", "an .npz file of named arrays")
        return {key: content[key] for key in content.files}
    except _UNREADABLE as error:
        reason = spelled_out(str(error).partition(". ")[0])
        raise data_error(name, f"no plain .npz ({reason})", _ALLOWED) from None


def _check_shapes(arrays: dict[str, Array], name: str) -> None:
    first = next(iter(arrays), "")
    for key, array in arrays.items():
        where = f"{name}: array {quoted(key)}"
        if array.dtype.kind not in _KINDS.get(array.ndim, ""):
            found = f"the type {quoted(str(array.dtype))} in {array.ndim} dimensions"
            raise data_error(where, found, _ALLOWED)
        if len(array) != len(arrays[first]):
            allowed = f"{len(arrays[first]):,}, as in {quoted(first)}"
            raise data_error(where, f"{len(array):,} rows", allowed)


def _columns(key: str, array: Array, name: str) -> Iterator[pl.Series]:
    if array.ndim == 2:
        for index in range(array.shape[1]):
            yield _numbers(f"{key}[{index}]", array[:, index])
    elif array.dtype.kind in "fiu":
        yield _numbers(key, array)
    elif array.dtype.kind == "b":
        yield pl.Series(key, array).cast(pl.String)
    else:
        yield without_missing(_text(key, array, name))


def _text(key: str, array: Array, name: str) -> pl.Series:
    try:
        return pl.Series(key, array.tolist(), dtype=pl.String)
    except (ValueError, SystemError):  # a surrogate, or a number beyond Unicode
        where = f"{name}: array {quoted(key)}"
        raise data_error(where, "characters that are not Unicode", "text") from None


def _numbers(name: str, array: Array) -> pl.Series:
    with np.errstate(over="ignore"):  # a long double may become infinite, which is checked later
        return pl.Series(name, array.astype(np.float64)).fill_nan(None)
