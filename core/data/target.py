"""What is predicted: which column, and whether it is classes or a number."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ..settings.declaration import ProblemKind
from ..wording import data_error, listed, quoted, unknown
from .cells import parse_numbers
from .dataset import TargetScale
from .table import Table, check_finite

# Whole numbers of more different values than this are rather a quantity than classes.
MAX_AUTO_CLASSES = 20
MAX_CLASSES = 1000


@dataclass(frozen=True)
class Target:
    """A target a row: codes of classes (int64), or numbers (float64) without class names."""

    values: npt.NDArray[Any]
    class_names: tuple[str, ...] = ()


def target_column(table: Table, asked: str) -> str:
    """The column to predict: the one asked for, or a built-in set's own.

    Raises:
        DataError: none or an unknown one is asked for, or it leaves nothing to learn from.
    """
    columns = table.frame.columns
    if table.own_target:
        if asked:
            allowed = f"nothing, {table.name} has a target of its own"
            raise data_error("data.target", quoted(asked), allowed)
        return table.own_target
    choice = f"a column of {table.name}: {listed(columns)}"
    if not asked:
        raise data_error("data.target", "no column to predict", f"{choice}; say it with --target")
    if asked not in columns:
        raise data_error("data.target", unknown(asked, columns), choice)
    if len(columns) == 1:
        found = f"no column besides the target {quoted(asked)}"
        raise data_error(table.name, found, "at least one column to learn from")
    return asked


def read_target(table: Table, column: str, kind: ProblemKind) -> Target:
    """The targets of all rows, as classes or as numbers.

    Raises:
        DataError: a target is missing, all are the same, or they do not suit the problem.
    """
    values = table.frame[column]
    _check_values(table, values)
    if kind == "regression" or (kind == "auto" and not _looks_like_classes(values)):
        return Target(_numbers(table, values).to_numpy())
    return _classes(table, values)


def scale_target(
    table: Table, column: str, values: npt.NDArray[Any], train_rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], TargetScale]:
    """Standardise a regression's target with the mean and deviation of the training rows.

    Raises:
        DataError: it is the same in all training rows.
    """
    train = values[train_rows]
    if train.min() == train.max():
        where = _where(table, column)
        found = f"only the value {train[0]:g} in the {len(train):,} training rows"
        raise data_error(where, found, "at least two values there; another data.seed may do")
    scale = TargetScale(float(train.mean()), float(train.std()))
    return (values - scale.mean) / scale.std, scale


def _check_values(table: Table, values: pl.Series) -> None:
    where = _where(table, values.name)
    missing = values.is_null().arg_true()
    if len(missing):
        first = table.place(missing[0])
        found = f"{len(missing):,} of {len(values):,} cells missing, the first on {first}"
        raise data_error(where, found, "a value in every row")
    if values.n_unique() == 1:
        found = f"only one value, {_shown(values[0])}, in all {len(values):,} rows"
        raise data_error(where, found, "at least two different values")


def _looks_like_classes(values: pl.Series) -> bool:
    if values.dtype == pl.String:
        return True
    return bool((values == values.floor()).all()) and values.n_unique() <= MAX_AUTO_CLASSES


def _numbers(table: Table, values: pl.Series) -> pl.Series:
    numbers = parse_numbers(values)
    no_number = numbers.is_null().arg_true()
    if len(no_number):
        row = no_number[0]
        where = f"{table.name}: {table.place(row)}: column {quoted(values.name)}, the target"
        allowed = 'numbers when data.problem = "regression"'
        raise data_error(where, quoted(values[row]), allowed)
    check_finite(table, numbers)
    return numbers


def _classes(table: Table, values: pl.Series) -> Target:
    distinct = values.unique().sort().to_list()
    if len(distinct) > MAX_CLASSES:
        hint = "" if values.dtype == pl.String else ', or data.problem = "regression"'
        found = f"{len(distinct):,} different values"
        allowed = f"at most {MAX_CLASSES:,} classes{hint}"
        raise data_error(_where(table, values.name), found, allowed)
    order = table.class_names or distinct
    codes = {value: code for code, value in enumerate(order)}
    encoded = np.array([codes[value] for value in values.to_list()], dtype=np.int64)
    return Target(encoded, tuple(_class_name(value) for value in order))


def _class_name(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() else repr(value)


def _shown(value: float | str) -> str:
    return quoted(value) if isinstance(value, str) else _class_name(value)


def _where(table: Table, column: str) -> str:
    return f"{table.name}: column {quoted(column)}, the target"
