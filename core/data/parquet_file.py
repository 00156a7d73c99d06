"""A Parquet file, whose columns have types of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import polars as pl

from ..wording import data_error, quoted, spelled_out
from .cells import from_typed
from .table import Table, check_column_names


def read_parquet(file: BinaryIO, name: str) -> Table:
    """Read a Parquet file.

    Args:
        file: open for reading bytes.
        name: what messages call the file.

    Raises:
        DataError: it is no Parquet file, or a column is neither numbers nor text.
    """
    with _no_parquet(name):
        frame = pl.read_parquet(file)
    check_column_names(name, frame.columns)
    columns = [_column(column, name) for column in frame.get_columns()]
    return Table(name, pl.DataFrame(columns), range(1, frame.height + 1))


def parquet_header(file: BinaryIO, name: str) -> dict[str, str]:
    """The columns of a Parquet file and their types, from its schema alone.

    Raises:
        DataError: it is no Parquet file, or two columns have the same name.
    """
    with _no_parquet(name):
        schema = pl.read_parquet_schema(file)
    check_column_names(name, list(schema))
    return {column: "numbers" if kind.is_numeric() else "text" for column, kind in schema.items()}


@contextmanager
def _no_parquet(name: str) -> Iterator[None]:
    try:
        yield
    # A panic is how Polars gives up on some broken files.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = spelled_out(str(error).partition("\n")[0])
        raise data_error(name, f"no Parquet ({reason})", "a whole Parquet file") from None


def _column(column: pl.Series, name: str) -> pl.Series:
    typed = from_typed(column)
    if typed is None:
        where = f"{name}: column {quoted(column.name)}"
        raise data_error(
            where, f"the type {quoted(str(column.dtype))}", "numbers, text, truth values or dates"
        )
    return typed
