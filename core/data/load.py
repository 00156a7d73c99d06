"""From data settings to a data set that a model can be trained on."""

import torch

from ..settings.declaration import DataSettings
from .dataset import Dataset, Split, TargetScale
from .preprocess import as_float32, prepare_features
from .sources import read_source
from .split import Rows, split_rows
from .table import Table
from .target import Target, read_target, scale_target, target_column


def load_dataset(settings: DataSettings) -> Dataset:
    """Read a source, split its rows, and turn its columns into tensors.

    The same settings and the same file give the same data set.

    Raises:
        DataError: the data cannot be trained on; the message says where and why.
    """
    table = read_source(settings)
    column = target_column(table, settings.target)
    target = read_target(table, column, settings.problem)
    rows = split_rows(table.name, target, settings)
    targets, scale = _target_tensor(table, column, target, rows.train)
    features = prepare_features(table, column, rows)
    return Dataset(
        train=Split(torch.from_numpy(features.train), targets[rows.train]),
        val=Split(torch.from_numpy(features.val), targets[rows.val]),
        problem="classification" if target.class_names else "regression",
        feature_names=features.names,
        class_names=target.class_names,
        target_scale=scale,
        warnings=rows.warnings + features.warnings,
    )


def _target_tensor(
    table: Table, column: str, target: Target, train_rows: Rows
) -> tuple[torch.Tensor, TargetScale | None]:
    if target.class_names:
        return torch.from_numpy(target.values), None
    scaled, scale = scale_target(table, column, target.values, train_rows)
    return torch.from_numpy(as_float32(scaled[:, None], [column], table.name)), scale
