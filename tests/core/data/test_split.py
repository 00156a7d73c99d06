from collections.abc import Callable

import pytest
import torch

from epochtop.core.data import Dataset

from .conftest import WriteCsv

Load = Callable[..., Dataset]
Failure = Callable[..., str]


def test_classes_keep_their_proportion(write_csv: WriteCsv, load: Load) -> None:
    path = write_csv(["x", "y"], [(row, "ab"[row % 10 == 0]) for row in range(200)])
    dataset = load(path, target="y", val_fraction=0.25)
    assert dataset.train.targets.bincount().tolist() == [135, 15]
    assert dataset.val.targets.bincount().tolist() == [45, 5]


def test_every_row_is_in_one_split(write_csv: WriteCsv, load: Load) -> None:
    path = write_csv(["x", "y"], [(row, row / 2) for row in range(30)])
    dataset = load(path, target="y")
    assert dataset.target_scale is not None
    targets = torch.cat([dataset.train.targets, dataset.val.targets]).flatten()
    values = targets * dataset.target_scale.std + dataset.target_scale.mean
    assert values.sort().values.tolist() == pytest.approx([row / 2 for row in range(30)], abs=1e-5)


def test_the_seed_decides_the_split(load: Load) -> None:
    first, again, other = (load("iris", seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.val.inputs, again.val.inputs)
    assert not torch.equal(first.val.inputs, other.val.inputs)


def test_a_class_of_a_single_row_is_only_trained_on(write_csv: WriteCsv, load: Load) -> None:
    path = write_csv(["x", "y"], [*((row, "ab"[row % 2]) for row in range(20)), (20, "rare")])
    dataset = load(path, target="y")
    assert dataset.class_names == ("a", "b", "rare")
    assert 2 in dataset.train.targets
    assert 2 not in dataset.val.targets
    assert dataset.warnings == ("classes with a single row, which is only trained on: 'rare'",)


def test_a_class_that_training_lacks_is_warned_of(write_csv: WriteCsv, load: Load) -> None:
    path = write_csv(["x", "y"], [(row, "ab"[row < 2]) for row in range(100)])
    dataset = load(path, target="y", val_fraction=0.9)
    assert 1 not in dataset.train.targets
    assert dataset.warnings == ("classes without any training row: 'b'",)


def test_classes_that_all_have_a_single_row_are_refused(
    write_csv: WriteCsv, failure: Failure
) -> None:
    path = write_csv(["x", "y"], [(row, row) for row in range(6)])
    assert failure(path, target="y") == (
        f"{path}: found a single row for each of the 6 classes; "
        'allowed: classes of two or more rows, or data.problem = "regression" for numbers'
    )


@pytest.mark.parametrize(
    ("fraction", "train", "val"), [(0.01, 148, 2), (0.99, 1, 149)], ids=["small", "large"]
)
def test_fewer_rows_than_classes_on_a_side_are_refused(
    failure: Failure, fraction: float, train: int, val: int
) -> None:
    assert failure("iris", val_fraction=fraction) == (
        f"data.val_fraction: found {fraction}, which splits the built-in set iris into {train} "
        f"training and {val} validation rows for 3 classes; "
        "allowed: at least 3 and 3, so from 0.02 to 0.98"
    )


@pytest.mark.parametrize("fraction", [0.02, 0.98])
def test_the_fractions_that_a_message_allows_do_split(load: Load, fraction: float) -> None:
    assert load("iris", val_fraction=fraction).num_outputs == 3


def test_a_regression_needs_two_training_rows(write_csv: WriteCsv, failure: Failure) -> None:
    path = write_csv(["x", "y"], [(row, row / 2) for row in range(4)])
    assert failure(path, target="y", val_fraction=0.7) == (
        f"data.val_fraction: found 0.7, which splits {path} into 1 training and 3 validation rows; "
        "allowed: at least 2 and 1, so from 0.25 to 0.5"
    )


def test_too_few_rows_are_refused(write_csv: WriteCsv, failure: Failure) -> None:
    path = write_csv(["x", "y"], [(1, 2)])
    assert failure(path, target="y") == f"{path}: found only 1 row; allowed: at least 3 rows"
