from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from epochtop.core.data import Dataset

from .conftest import WriteCsv

Load = Callable[..., Dataset]
Failure = Callable[..., str]


def targets(write_csv: WriteCsv, values: Sequence[object]) -> Path:
    """A file with these targets and one feature, the row's number."""
    return write_csv(["x", "y"], enumerate(values))


def test_text_gives_classes_sorted_by_name(write_csv: WriteCsv, load: Load) -> None:
    dataset = load(targets(write_csv, ["pear", "apple", "fig"] * 4), target="y")
    assert dataset.problem == "classification"
    assert dataset.class_names == ("apple", "fig", "pear")


def test_whole_numbers_give_classes_sorted_as_numbers(write_csv: WriteCsv, load: Load) -> None:
    dataset = load(targets(write_csv, ["10", "2.0", "-1", "1e1"] * 4), target="y")
    assert dataset.problem == "classification"
    assert dataset.class_names == ("-1", "2", "10")


def test_codes_follow_the_class_names(write_csv: WriteCsv, load: Load) -> None:
    path = write_csv(["x", "y"], [(index, "ba"[index < 10]) for index in range(20)])
    dataset = load(path, target="y")
    assert (dataset.train.targets == (dataset.train.inputs[:, 0] > 0)).all()


@pytest.mark.parametrize(("distinct", "problem"), [(20, "classification"), (21, "regression")])
def test_more_than_20_different_whole_numbers_are_a_regression(
    write_csv: WriteCsv, load: Load, distinct: int, problem: str
) -> None:
    values: list[int] = list(range(distinct)) * 10
    assert load(targets(write_csv, values), target="y").problem == problem


def test_fractions_are_a_regression(write_csv: WriteCsv, load: Load) -> None:
    dataset = load(targets(write_csv, [0.5, 1, 2] * 5), target="y")
    assert dataset.problem == "regression"
    assert dataset.target_scale is not None


def test_the_problem_can_be_said(write_csv: WriteCsv, load: Load) -> None:
    path = targets(write_csv, [0.5, 1] * 10)
    assert load(path, target="y", problem="classification").class_names == ("0.5", "1")
    assert load("iris", problem="classification").problem == "classification"
    path = targets(write_csv, [1, 2, 3] * 10)
    assert load(path, target="y", problem="regression").problem == "regression"


def test_a_regression_is_scaled_by_its_training_rows(write_csv: WriteCsv, load: Load) -> None:
    values: list[object] = [float(index) ** 2 + 0.5 for index in range(40)]
    dataset = load(targets(write_csv, values), target="y")
    scale = dataset.target_scale
    assert scale is not None
    train = dataset.train.targets.numpy().astype(float) * scale.std + scale.mean
    assert scale.mean == pytest.approx(np.mean(train), rel=1e-5)
    assert scale.std == pytest.approx(np.std(train), rel=1e-5)


def test_no_target_lists_the_columns(write_csv: WriteCsv, failure: Failure) -> None:
    path = write_csv(["x", "y"], [(1, 2)] * 5)
    assert failure(path) == (
        f"data.target: found no column to predict; allowed: a column of {path}: 'x', 'y'; "
        "say it with --target"
    )


def test_an_unknown_target_suggests_the_nearest(write_csv: WriteCsv, failure: Failure) -> None:
    path = write_csv(["age", "Species"], [(1, 2)] * 5)
    assert failure(path, target="specis") == (
        "data.target: found 'specis' (did you mean 'Species'?); "
        f"allowed: a column of {path}: 'age', 'Species'"
    )


def test_a_long_list_of_columns_is_cut(write_csv: WriteCsv, failure: Failure) -> None:
    path = write_csv([f"c{index}" for index in range(1200)], [range(1200)] * 5)
    message = failure(path, target="y")
    assert message.endswith("'c8', 'c9' and 1,190 more")


def test_a_file_of_nothing_but_the_target_is_refused(write_csv: WriteCsv, failure: Failure) -> None:
    path = write_csv(["y"], [(index,) for index in range(5)])
    assert failure(path, target="y") == (
        f"{path}: found no column besides the target 'y'; "
        "allowed: at least one column to learn from"
    )


def test_missing_targets_are_counted_and_the_first_named(
    write_csv: WriteCsv, failure: Failure
) -> None:
    path = targets(write_csv, ["a", "b", "NA", "a", "", "b"])
    assert failure(path, target="y") == (
        f"{path}: column 'y', the target: found 2 of 6 cells missing, the first on line 4; "
        "allowed: a value in every row"
    )


@pytest.mark.parametrize(("value", "shown"), [("a", "'a'"), ("1.0", "1"), ("0.1", "0.1")])
def test_a_target_of_one_value_is_refused(
    write_csv: WriteCsv, failure: Failure, value: str, shown: str
) -> None:
    path = targets(write_csv, [value] * 6)
    assert failure(path, target="y") == (
        f"{path}: column 'y', the target: found only one value, {shown}, in all 6 rows; "
        "allowed: at least two different values"
    )


def test_a_target_of_one_value_in_training_is_refused(
    write_csv: WriteCsv, failure: Failure
) -> None:
    _, val = train_test_split(range(10), test_size=0.2, random_state=0)
    values: list[object] = [0.1] * 10
    values[val[0]] = 0.5
    path = targets(write_csv, values)
    assert failure(path, target="y") == (
        f"{path}: column 'y', the target: found only the value 0.1 in the 8 training rows; "
        "allowed: at least two values there; another data.seed may do"
    )


def test_a_regression_of_text_names_the_first_cell_that_is_no_number(
    write_csv: WriteCsv, failure: Failure
) -> None:
    path = targets(write_csv, ["1", "2", "high", "low"])
    assert failure(path, target="y", problem="regression") == (
        f"{path}: line 4: column 'y', the target: found 'high'; "
        'allowed: numbers when data.problem = "regression"'
    )


def test_an_infinite_target_is_refused(write_csv: WriteCsv, failure: Failure) -> None:
    message = failure(targets(write_csv, ["1", "2", "inf", "3"]), target="y")
    assert "line 4: column 'y': found inf;" in message


def test_too_many_classes_of_numbers_suggest_a_regression(
    write_csv: WriteCsv, failure: Failure
) -> None:
    path = targets(write_csv, list(range(1001)) * 2)
    assert failure(path, target="y", problem="classification") == (
        f"{path}: column 'y', the target: found 1,001 different values; "
        'allowed: at most 1,000 classes, or data.problem = "regression"'
    )


def test_too_many_classes_of_text_are_refused(write_csv: WriteCsv, failure: Failure) -> None:
    message = failure(targets(write_csv, [f"id{row}" for row in range(1001)] * 2), target="y")
    assert message.endswith("found 1,001 different values; allowed: at most 1,000 classes")
