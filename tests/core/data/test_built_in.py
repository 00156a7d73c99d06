from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn import datasets

from epochtop.core.data import Dataset

Load = Callable[..., Dataset]
Failure = Callable[..., str]


@pytest.mark.parametrize(
    ("source", "rows", "features", "classes"),
    [
        ("digits", (1437, 360), 64, 10),
        ("iris", (120, 30), 4, 3),
        ("wine", (142, 36), 13, 3),
        ("breast_cancer", (455, 114), 30, 2),
    ],
)
def test_a_set_of_classes_is_split_into_standardised_tensors(
    load: Load, source: str, rows: tuple[int, int], features: int, classes: int
) -> None:
    dataset = load(source)
    assert dataset.problem == "classification"
    assert (len(dataset.train), len(dataset.val)) == rows
    assert dataset.num_features == len(dataset.feature_names) == features
    assert dataset.num_outputs == len(dataset.class_names) == classes
    assert dataset.train.inputs.dtype == dataset.val.inputs.dtype == torch.float32
    assert dataset.train.targets.dtype == torch.int64
    assert dataset.train.targets.shape == rows[:1]
    assert torch.allclose(dataset.train.inputs.mean(dim=0), torch.zeros(features), atol=1e-5)
    assert dataset.warnings == ()


def test_class_and_feature_names_are_those_of_the_loader(load: Load) -> None:
    assert load("iris").class_names == ("setosa", "versicolor", "virginica")
    assert load("breast_cancer").class_names == ("malignant", "benign")
    assert load("digits").class_names == tuple("0123456789")
    assert load("iris").feature_names[0] == "sepal length (cm)"


def test_targets_keep_the_codes_of_the_loader(load: Load) -> None:
    dataset = load("breast_cancer")
    targets = torch.cat([dataset.train.targets, dataset.val.targets])
    expected = datasets.load_breast_cancer().target
    assert targets.bincount().tolist() == np.bincount(expected).tolist()


def test_diabetes_is_a_regression_with_a_standardised_target(load: Load) -> None:
    dataset = load("diabetes")
    assert dataset.problem == "regression"
    assert dataset.num_outputs == 1
    assert dataset.class_names == ()
    assert dataset.train.targets.shape == (353, 1)
    assert dataset.train.targets.dtype == torch.float32
    assert dataset.train.targets.mean().item() == pytest.approx(0, abs=1e-6)
    assert dataset.train.targets.std(correction=0).item() == pytest.approx(1, abs=1e-6)


def test_a_regression_target_can_be_brought_back_to_its_unit(load: Load) -> None:
    dataset = load("diabetes")
    assert dataset.target_scale is not None
    scaled = torch.cat([dataset.train.targets, dataset.val.targets]).flatten().double()
    values = scaled * dataset.target_scale.std + dataset.target_scale.mean
    expected = np.sort(datasets.load_diabetes().target)
    assert values.sort().values.numpy() == pytest.approx(expected, abs=1e-4)


def test_synthetic_samples_are_drawn_with_the_seed_and_left_as_they_are(load: Load) -> None:
    dataset = load("synthetic", seed=3)
    drawn = torch.randn(1000, 10, generator=torch.Generator().manual_seed(3))
    rows = {tuple(row) for row in drawn.tolist()}
    assert {tuple(row) for row in dataset.train.inputs.tolist()} <= rows
    assert {tuple(row) for row in dataset.val.inputs.tolist()} <= rows
    assert (len(dataset.train), len(dataset.val)) == (800, 200)
    assert dataset.class_names == ("0", "1")


def test_the_same_seed_gives_the_same_synthetic_data(load: Load) -> None:
    first, again, other = (load("synthetic", seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first.train.inputs, again.train.inputs)
    assert torch.equal(first.val.targets, again.val.targets)
    assert not torch.equal(first.train.inputs, other.train.inputs)


def test_a_target_for_a_built_in_set_is_refused(failure: Failure) -> None:
    message = failure("iris", target="species")
    assert message == (
        "data.target: found 'species'; "
        "allowed: nothing, the built-in set iris has a target of its own"
    )


def test_a_text_target_of_a_built_in_set_is_no_regression(failure: Failure) -> None:
    message = failure("iris", problem="regression")
    assert "the built-in set iris: row 1: column 'target'" in message
    assert "'setosa'" in message


def test_digits_can_be_a_regression(load: Load) -> None:
    dataset = load("digits", problem="regression")
    assert dataset.problem == "regression"
    assert dataset.target_scale is not None
