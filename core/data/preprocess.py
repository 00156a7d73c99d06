"""Columns to features: every statistic is taken from the training rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ..wording import data_error, quoted
from .split import RowSplit
from .table import Table

MAX_CATEGORIES = 100
# A category of its own: that a value is missing often says something, and the most frequent
# value would claim what nobody wrote.
MISSING_CATEGORY = "(missing)"
OTHER_CATEGORIES = "(other)"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Inputs of both splits, of shape (rows, features), with a name for each feature."""

    train: Floats
    val: Floats
    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def prepare_features(table: Table, target: str, rows: RowSplit) -> Features:
    """Fill and standardise numbers, one-hot encode text: numbers first, then text.

    Raises:
        DataError: a standardised number does not fit float32.
    """
    frame = table.frame.drop(target)
    numbers = frame.select(pl.col(pl.Float64))
    texts = frame.select(pl.col(pl.String))
    parts = [_numbers(table, numbers, rows)] if numbers.width else []
    parts += [_categories(texts, rows)] if texts.width else []
    return Features(
        np.concatenate([part.train for part in parts], axis=1),
        np.concatenate([part.val for part in parts], axis=1),
        tuple(name for part in parts for name in part.names),
        tuple(warning for part in parts for warning in part.warnings),
    )


def as_float32(values: npt.NDArray[Any], names: Sequence[str], where: str) -> Floats:
    """Standardised columns as float32.

    Raises:
        DataError: a value is so far from the training rows that float32 cannot hold it.
    """
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    beyond = np.flatnonzero(~np.isfinite(narrow).all(axis=0))
    if len(beyond):
        found = "a value too many standard deviations from the training rows' mean"
        where = f"{where}: column {quoted(names[beyond[0]])}"
        raise data_error(where, found, "values of a like size, so that float32 holds them all")
    return narrow


def _numbers(table: Table, frame: pl.DataFrame, rows: RowSplit) -> Features:
    values = frame.to_numpy()
    train, val = values[rows.train], values[rows.val]
    empty = np.isnan(train).all(axis=0)
    # Unscaled by training rows, such a column would reach validation as raw numbers.
    val = np.where(empty, np.nan, val)
    # An empty column is kept, filled with 0, so that features and columns stay the same.
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    steps = [imputer, StandardScaler()] if table.standardise else [imputer]
    pipeline: Any = make_pipeline(*steps)
    names = frame.columns
    return Features(
        as_float32(pipeline.fit_transform(train), names, table.name),
        as_float32(pipeline.transform(val), names, table.name),
        tuple(names),
        tuple(
            _empty_warning(name) for name, is_empty in zip(names, empty, strict=True) if is_empty
        ),
    )


def _empty_warning(name: str) -> str:
    return f"column {quoted(name)} has no value in any training row and teaches nothing"


def _categories(frame: pl.DataFrame, rows: RowSplit) -> Features:
    values = frame.fill_null(MISSING_CATEGORY).to_numpy()
    # A category that only validation has counts as one of the rare ones, or as none at all.
    encoder: Any = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MAX_CATEGORIES,
        feature_name_combiner=_feature_name,
        sparse_output=False,
        dtype=np.float32,
    )
    return Features(
        encoder.fit_transform(values[rows.train]),
        encoder.transform(values[rows.val]),
        tuple(encoder.get_feature_names_out(frame.columns)),
        _grouped_warnings(frame.columns, encoder),
    )


def _feature_name(column: str, category: str) -> str:
    return f"{column}={OTHER_CATEGORIES if category == 'infrequent_sklearn' else category}"


def _grouped_warnings(columns: Sequence[str], encoder: Any) -> tuple[str, ...]:
    groups = zip(columns, encoder.categories_, encoder.infrequent_categories_, strict=True)
    return tuple(
        f"column {quoted(column)} has {len(categories):,} different values in the training rows; "
        f"the {len(rare):,} rarest are grouped as {OTHER_CATEGORIES}"
        for column, categories, rare in groups
        if rare is not None
    )
