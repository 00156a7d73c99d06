"""A CSV file: its structure is checked line by line before any cell is read."""

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import BinaryIO

import polars as pl

from ..errors import DataError
from ..wording import data_error
from .cells import infer_type
from .table import Table, check_column_names

ROWS_AT_ONCE = 512
# What is enough of a file to tell its columns.
_HEADER_BYTES, _HEADER_ROWS = 1 << 20, 100
# Where a record starts, as a line number of the file, and its cells.
Record = tuple[int, list[str]]


def read_csv(file: BinaryIO, name: str) -> Table:
    """Read a CSV file with a header row, in UTF-8.

    Args:
        file: open for reading bytes.
        name: what messages call the file.

    Raises:
        DataError: with the first line that is not as it should be.
    """
    text = _decode(file.read(), name)
    records = _records(text, name, _delimiter(text, name))
    header_line, header = next(records, (0, []))
    if not header:
        raise data_error(name, "an empty file", "a header row and rows below it")
    columns = [column.strip() for column in header]
    check_column_names(f"{name}: line {header_line}", columns)
    lines: list[int] = []
    cells = _cells(_checked(records, name, header_line, len(columns)), columns, lines)
    typed = [infer_type(column) for column in cells.get_columns()]
    return Table(name, pl.DataFrame(typed), lines, unit="line")


def csv_header(file: BinaryIO, name: str) -> dict[str, str]:
    """The columns of a CSV file, and whether the first rows hold numbers or text in them.

    Raises:
        DataError: as `read_csv` does, for the header.
    """
    data = file.read(_HEADER_BYTES)
    if len(data) == _HEADER_BYTES:
        data = data[: data.rfind(b"\n") + 1] or data
    text = _decode(data, name)
    records = _records(text, name, _delimiter(text, name))
    line, header = next(records, (0, []))
    if not header:
        raise data_error(name, "an empty file", "a header row and rows below it")
    columns = [column.strip() for column in header]
    check_column_names(f"{name}: line {line}", columns)
    rows: list[list[str]] = []
    with suppress(DataError):  # said when the rows are read
        rows.extend(cells for _, cells in islice(records, _HEADER_ROWS))
    cells = [[row[i] for row in rows if i < len(row)] for i in range(len(columns))]
    return {name: _kind(column) for name, column in zip(columns, cells, strict=True)}


def _kind(cells: list[str]) -> str:
    typed = infer_type(pl.Series(cells, dtype=pl.String))
    return "text" if typed.dtype == pl.String else "numbers"


def _decode(data: bytes, name: str) -> str:
    nul = data.find(b"\0")
    if nul >= 0:
        raise _binary(name, data, nul, "a NUL byte")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _binary(name, data, error.start, "bytes that are not UTF-8") from None


def _binary(name: str, data: bytes, offset: int, found: str) -> DataError:
    line = data.count(b"\n", 0, offset) + 1
    return data_error(f"{name}: line {line}", f"{found} at byte {offset}", "text in UTF-8")


def _delimiter(text: str, name: str) -> str:
    """A comma; or what makes columns of a header that a comma leaves in one piece.

    This cannot misfire: a table of one column has nothing to learn a target from.
    """
    for delimiter in ",;\t":
        if _header_width(text, name, delimiter) > 1:
            return delimiter
    return ","


def _header_width(text: str, name: str, delimiter: str) -> int:
    try:
        return len(next(_records(text, name, delimiter), (0, []))[1])
    except DataError:  # Another delimiter may do; if none does, the comma's error is raised.
        return 0


def _records(text: str, name: str, delimiter: str) -> Iterator[Record]:
    """Each record with the line it starts on; lines without any character are passed over."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _malformed(f"{name}: line {start}", str(error), reader.line_num) from None
        if cells is None:
            return
        if cells:
            yield start, cells


def _malformed(where: str, error: str, line: int) -> DataError:
    if "unexpected end" in error:
        return data_error(
            where, "a quote that is never closed", 'a closing " for every opening one'
        )
    if "limit" in error:
        found = f"a cell of more than {csv.field_size_limit():,} characters"
        return data_error(where, found, "shorter cells; is a quote never closed?")
    found = f"text after a closing quote (on line {line})"
    return data_error(
        where, found, 'a delimiter or a line\'s end there, and "" for a quote in quotes'
    )


def _checked(
    records: Iterator[Record], name: str, header_line: int, width: int
) -> Iterator[Record]:
    for line, cells in records:
        if len(cells) != width:
            count = "1 cell" if len(cells) == 1 else f"{len(cells):,} cells"
            allowed = f"{width:,}, as in the header on line {header_line}"
            raise data_error(f"{name}: line {line}", count, allowed)
        yield line, cells


def _cells(records: Iterator[Record], columns: list[str], lines: list[int]) -> pl.DataFrame:
    """All cells as text, and in `lines` where each row starts.

    Packed some rows at a time: millions of cells as Python objects would take twice as long.
    """
    schema = dict.fromkeys(columns, pl.String)
    packed = [pl.DataFrame(schema=schema)]
    while chunk := list(islice(records, ROWS_AT_ONCE)):
        lines += [line for line, _ in chunk]
        by_column = zip(*(cells for _, cells in chunk), strict=True)
        packed.append(pl.DataFrame(dict(zip(columns, by_column, strict=True)), schema=schema))
    return pl.concat(packed)
