"""The data sets that need no file: scikit-learn's own and a synthetic one."""

from typing import Any

import polars as pl
import torch
from sklearn import datasets

from .table import Table

TARGET = "target"
SYNTHETIC_ROWS = 1000
SYNTHETIC_FEATURES = 10


def read_built_in(source: str, seed: int) -> Table:
    """A built-in data set with its target in the column `target`.

    Args:
        source: one of `BUILT_IN_SOURCES`.
        seed: draws the synthetic samples; the other sets do not change.
    """
    return _synthetic(seed) if source == "synthetic" else _from_sklearn(source)


def _synthetic(seed: int) -> Table:
    """Standard-normal features and a random binary label: there is nothing to learn here."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(SYNTHETIC_ROWS, SYNTHETIC_FEATURES, generator=generator)
    labels = torch.randint(0, 2, (SYNTHETIC_ROWS,), generator=generator)
    names = [f"x{index}" for index in range(SYNTHETIC_FEATURES)]
    target = pl.Series(TARGET, labels.double().numpy())
    return _table("synthetic", features.double().numpy(), names, target, standardise=False)


def _from_sklearn(source: str) -> Table:
    # The loader of diabetes would scale with the mean of all rows, not only the training ones.
    options = {"scaled": False} if source == "diabetes" else {}
    bunch: Any = getattr(datasets, f"load_{source}")(**options)
    classes = tuple(str(name) for name in bunch.get("target_names", ()))
    values = [classes[code] for code in bunch.target] if classes else bunch.target
    dtype = pl.String if classes else pl.Float64
    target = pl.Series(TARGET, values, dtype=dtype)
    return _table(source, bunch.data, list(bunch.feature_names), target, class_names=classes)


def _table(source: str, features: Any, names: list[str], target: pl.Series, **more: Any) -> Table:
    frame = pl.DataFrame(features, schema=names, orient="row").cast(pl.Float64).with_columns(target)
    rows = range(1, frame.height + 1)
    return Table(f"the built-in set {source}", frame, rows, own_target=TARGET, **more)
