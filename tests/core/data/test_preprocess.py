from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from epochtop.core.data import Dataset

from .conftest import WriteCsv

Load = Callable[..., Dataset]
Failure = Callable[..., str]

ROWS = 50
LABELS = [row % 2 for row in range(ROWS)]


def split_of(labels: list[int]) -> tuple[list[int], list[int]]:
    """The training and validation rows that scikit-learn gives for the default settings."""
    train, val = train_test_split(
        range(len(labels)), test_size=0.2, random_state=0, stratify=labels
    )
    return train, val


def column(write_csv: WriteCsv, load: Load, cells: list[object]) -> Dataset:
    return load(write_csv(["x", "y"], zip(cells, LABELS, strict=True)), target="y")


def test_numbers_are_filled_and_scaled_as_scikit_learn_does_on_training_rows(
    write_csv: WriteCsv, load: Load
) -> None:
    values = np.random.default_rng(0).normal(50, 7, ROWS)
    values[::7] = np.nan
    dataset = column(write_csv, load, values.tolist())
    train, val = (values[rows, None] for rows in split_of(LABELS))
    reference = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(train)
    assert dataset.train.inputs.numpy() == pytest.approx(reference.transform(train), abs=1e-6)
    assert dataset.val.inputs.numpy() == pytest.approx(reference.transform(val), abs=1e-6)


def test_an_outlier_in_validation_leaves_the_training_scale(
    write_csv: WriteCsv, load: Load
) -> None:
    _, val = split_of(LABELS)
    cells: list[object] = [float(row) for row in range(ROWS)]
    before = column(write_csv, load, cells)
    cells[val[0]] = 1e9
    after = column(write_csv, load, cells)
    assert torch.equal(before.train.inputs, after.train.inputs)
    assert after.val.inputs[0, 0] > 1e6


def test_a_category_of_validation_alone_is_none_of_the_features(
    write_csv: WriteCsv, load: Load
) -> None:
    _, val = split_of(LABELS)
    cells: list[object] = [("Rome", "Oslo", "")[row % 3] for row in range(ROWS)]
    cells[val[0]] = "Nowhere"
    dataset = column(write_csv, load, cells)
    assert dataset.feature_names == ("x=(missing)", "x=Oslo", "x=Rome")
    assert dataset.val.inputs[0].tolist() == [0, 0, 0]
    assert (dataset.train.inputs.sum(dim=1) == 1).all()


def test_many_categories_are_grouped_with_a_warning(write_csv: WriteCsv, load: Load) -> None:
    rows = [(f"id{row % 150}", row % 2) for row in range(600)]
    dataset = load(write_csv(["x", "y"], rows), target="y")
    assert dataset.num_features == 100
    assert dataset.feature_names[-1] == "x=(other)"
    assert dataset.warnings == (
        "column 'x' has 150 different values in the training rows; "
        "the 51 rarest are grouped as (other)",
    )


@pytest.mark.parametrize("marker", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"])
def test_the_usual_marks_are_missing_numbers(write_csv: WriteCsv, load: Load, marker: str) -> None:
    cells: list[object] = [row if row % 5 else f" {marker} " for row in range(ROWS)]
    dataset = column(write_csv, load, cells)
    assert dataset.feature_names == ("x",)
    assert dataset.train.inputs.isfinite().all()


@pytest.mark.parametrize("word", ["na", "none", "-", "1_000", "1,5", "x"])
def test_one_other_word_makes_a_column_text(write_csv: WriteCsv, load: Load, word: str) -> None:
    train, _ = split_of(LABELS)
    cells: list[object] = [1] * ROWS
    cells[train[0]] = word
    assert set(column(write_csv, load, cells).feature_names) == {"x=1", f"x={word}"}


def test_a_constant_column_becomes_zero(write_csv: WriteCsv, load: Load) -> None:
    dataset = column(write_csv, load, [0.1] * ROWS)
    assert dataset.train.inputs.abs().max() == 0
    assert dataset.warnings == ()


def test_an_empty_column_becomes_zero_with_a_warning(write_csv: WriteCsv, load: Load) -> None:
    dataset = column(write_csv, load, [""] * ROWS)
    assert dataset.feature_names == ("x",)
    assert dataset.train.inputs.abs().max() == 0
    assert dataset.warnings == ("column 'x' has no value in any training row and teaches nothing",)


def test_a_column_that_only_validation_fills_becomes_zero_there_too(
    write_csv: WriteCsv, load: Load
) -> None:
    _, val = split_of(LABELS)
    cells: list[object] = [""] * ROWS
    cells[val[0]] = 1000
    dataset = column(write_csv, load, cells)
    assert dataset.val.inputs.abs().max() == 0
    assert len(dataset.warnings) == 1


def test_a_value_that_float32_cannot_hold_once_scaled_is_refused(
    write_csv: WriteCsv, failure: Failure
) -> None:
    _, val = split_of(LABELS)
    cells: list[object] = [row * 1e-30 for row in range(ROWS)]
    cells[val[0]] = 1e30
    path = write_csv(["x", "y"], zip(cells, LABELS, strict=True))
    message = failure(path, target="y")
    assert message.startswith(f"{path}: column 'x': found a value too many standard deviations")


def test_a_realistic_mixed_table_is_loaded(write_csv: WriteCsv, load: Load) -> None:
    header = ["age", "city", "income", "note", "empty", "vip", "left"]
    cities = ["Paris", "São Paulo", "Washington, D.C.", "NA"]
    rows = [
        (
            20 + row % 50 if row % 11 else "?",
            cities[row % 4],
            f"{1000 + 13.5 * row:.2f}",
            'said "hi"\nand left' if row % 2 else "",
            "",
            row % 3 == 0,
            "yes" if row % 5 == 0 else "no",
        )
        for row in range(200)
    ]
    dataset = load(write_csv(header, rows), target="left")
    assert dataset.feature_names == (
        "age",
        "income",
        "empty",
        "city=(missing)",
        "city=Paris",
        "city=São Paulo",
        "city=Washington, D.C.",
        "note=(missing)",
        'note=said "hi"\nand left',
        "vip=False",
        "vip=True",
    )
    assert dataset.class_names == ("no", "yes")
    assert dataset.train.inputs.shape == (160, 11)
    assert dataset.val.inputs.shape == (40, 11)
    assert dataset.train.inputs.isfinite().all()
    assert dataset.val.inputs.isfinite().all()
    assert dataset.warnings == (
        "column 'empty' has no value in any training row and teaches nothing",
    )
