"""A source's rows before they are split: columns of numbers and columns of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from ..wording import data_error, quoted

MAX_NUMBER = float(np.finfo(np.float32).max)
# Two rows to standardise with and one to validate on.
MIN_ROWS = 3


@dataclass(frozen=True)
class Table:
    """Rows with a name for each column and a place in the source for each row.

    `frame` has Float64 and String columns only; a null is a missing cell. `lines` are the
    physical lines of a text file, or the row numbers of another source, counted from 1.
    A built-in set says in `own_target` which column is its target.
    """

    name: str
    frame: pl.DataFrame
    lines: Sequence[int]
    unit: Literal["line", "row"] = "row"
    own_target: str = ""
    class_names: tuple[str, ...] = ()
    standardise: bool = True

    def place(self, row: int) -> str:
        """What a message calls a row, such as `line 12`."""
        return f"{self.unit} {self.lines[row]}"


def check_column_names(where: str, names: Sequence[str]) -> None:
    """Require a name for each column, and each only once.

    Raises:
        DataError: with the first column that has no name or another's.
    """
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name:
            raise data_error(where, f"no name for column {number}", "a name for each column")
        if name in seen:
            found = f"the name {quoted(name)} for columns {seen[name]} and {number}"
            raise data_error(where, found, "a different name for each column")
        seen[name] = number


def check_rows(table: Table) -> None:
    """Require enough rows to split, and numbers that stay finite in float32.

    Raises:
        DataError: there are too few rows, or a number is infinite or too large.
    """
    rows = table.frame.height
    if rows < MIN_ROWS:
        raise data_error(table.name, _counted(rows), f"at least {MIN_ROWS} rows")
    for column in table.frame.get_columns():
        if column.dtype == pl.Float64:
            check_finite(table, column)


def check_finite(table: Table, numbers: pl.Series) -> None:
    """Require numbers that stay finite in float32.

    Raises:
        DataError: with the first that does not.
    """
    beyond = (numbers.abs() > MAX_NUMBER).arg_true()
    if len(beyond):
        row = beyond[0]
        where = f"{table.name}: {table.place(row)}: column {quoted(numbers.name)}"
        allowed = f"a finite number up to {MAX_NUMBER:.2g} (float32), or an empty cell"
        raise data_error(where, f"{numbers[row]:g}", allowed)


def _counted(rows: int) -> str:
    return "no rows" if not rows else "only 1 row" if rows == 1 else f"only {rows} rows"
