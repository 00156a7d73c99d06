"""Which rows are learnt from and which are kept for validation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from ..settings.declaration import DataSettings
from ..wording import data_error, listed
from .target import Target

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowSplit:
    """The rows of each split, as indices in shuffled order."""

    train: Rows
    val: Rows
    warnings: tuple[str, ...] = ()


def split_rows(name: str, target: Target, settings: DataSettings) -> RowSplit:
    """Shuffle and split the rows, each class in the same proportion on both sides.

    A class with a single row cannot be on both sides: its row is learnt from.

    Args:
        name: what messages call the source.
        target: of all rows.
        settings: the validation fraction and the seed.

    Raises:
        DataError: one side would get too few rows.
    """
    rows = np.arange(len(target.values))
    if not target.class_names:
        _check_sizes(name, len(rows), 0, settings)
        return RowSplit(*_shuffle(rows, None, settings))
    single = np.bincount(target.values)[target.values] == 1
    strata = target.values[~single]
    if not len(strata):
        found = f"a single row for each of the {len(rows):,} classes"
        hint = 'or data.problem = "regression" for numbers'
        raise data_error(name, found, f"classes of two or more rows, {hint}")
    _check_sizes(name, len(strata), len(np.unique(strata)), settings)
    train, val = _shuffle(rows[~single], strata, settings)
    train = np.concatenate([train, rows[single]])
    return RowSplit(train, val, _warnings(target, single, train))


def _shuffle(rows: Rows, strata: Rows | None, settings: DataSettings) -> tuple[Rows, Rows]:
    train, val = train_test_split(
        rows, test_size=settings.val_fraction, random_state=settings.seed, stratify=strata
    )
    return train, val


def _check_sizes(name: str, rows: int, classes: int, settings: DataSettings) -> None:
    """Require a row a class on both sides, and two to learn from."""
    num_val = math.ceil(settings.val_fraction * rows)  # as scikit-learn rounds it
    num_train = rows - num_val
    least_train, least_val = max(2, classes), max(1, classes)
    if num_train >= least_train and num_val >= least_val:
        return
    for_classes = f" for {classes:,} classes" if classes else ""
    found = (
        f"{settings.val_fraction:g}, which splits {name} into {num_train:,} training and "
        f"{num_val:,} validation rows{for_classes}"
    )
    low = math.ceil(least_val / rows * 1e4) / 1e4
    high = math.floor((rows - least_train) / rows * 1e4) / 1e4
    allowed = f"at least {least_train:,} and {least_val:,}, so from {low:g} to {high:g}"
    raise data_error("data.val_fraction", found, allowed)


def _warnings(target: Target, single: npt.NDArray[np.bool_], train: Rows) -> tuple[str, ...]:
    classes = np.arange(len(target.class_names))
    lone = _names(target, np.unique(target.values[single]))
    unseen = _names(target, np.setdiff1d(classes, target.values[train]))
    warnings = []
    if lone:
        warnings.append(f"classes with a single row, which is only trained on: {listed(lone)}")
    if unseen:
        warnings.append(f"classes without any training row: {listed(unseen)}")
    return tuple(warnings)


def _names(target: Target, codes: Rows) -> Sequence[str]:
    return [target.class_names[code] for code in codes]
