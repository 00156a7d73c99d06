"""What the cells of a column are: numbers, text, or missing."""

import polars as pl

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")


def infer_type(cells: pl.Series) -> pl.Series:
    """Numbers where every cell that is not missing is one, otherwise text.

    Args:
        cells: text as a file spells it.

    Returns:
        Float64 or String, with nulls for the missing cells. A column without any value is
        taken for numbers.
    """
    text = without_missing(cells)
    numbers = parse_numbers(text)
    return text if numbers.null_count() > text.null_count() else numbers.fill_nan(None)


def parse_numbers(text: pl.Series) -> pl.Series:
    """Float64, null where a cell is no number.

    Polars reads what Python's float() reads, but not 1_000: such a cell is rather a code.
    """
    return text.cast(pl.Float64, strict=False)


def without_missing(cells: pl.Series) -> pl.Series:
    """Text without surrounding blanks, null where it says that a value is missing."""
    text = cells.str.strip_chars()
    return text.set(text.is_in(MISSING), None)


def from_typed(column: pl.Series) -> pl.Series | None:
    """Float64 or String from a column with a type of its own, None if that holds neither.

    Truth values and dates become text, as a CSV would spell them.
    """
    kind = column.dtype
    if kind.is_numeric() or kind == pl.Null:
        return column.cast(pl.Float64).fill_nan(None)
    if kind in (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Time):
        return without_missing(column.cast(pl.String))
    return None
