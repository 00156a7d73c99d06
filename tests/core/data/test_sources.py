import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from epochtop.core.data import Dataset

Load = Callable[..., Dataset]
Failure = Callable[..., str]


def test_a_misspelt_built_in_set_suggests_the_nearest(failure: Failure) -> None:
    assert failure("digts") == (
        "data.source: found 'digts' (did you mean 'digits'?); allowed: digits, iris, wine, "
        "breast_cancer, diabetes, synthetic, or the path of a .csv, .parquet or .npz file"
    )


def test_an_unknown_source_lists_what_is_read(failure: Failure) -> None:
    message = failure("no/such/thing.xyz")
    assert "found 'no/such/thing.xyz'; allowed: digits, " in message
    assert "a .csv, .parquet or .npz file" in message


def test_a_file_of_another_kind_is_refused(tmp_path: Path, failure: Failure) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(b"PK")
    assert failure(path) == f"{path}: found the suffix '.xlsx'; allowed: .csv, .parquet or .npz"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_a_missing_file_is_named(tmp_path: Path, failure: Failure, suffix: str) -> None:
    path = tmp_path / f"missing.{suffix}"
    assert failure(path, target="y") == (
        f"{path}: found no such file; allowed: a .csv, .parquet or .npz file that exists"
    )


def test_a_directory_is_refused(tmp_path: Path, failure: Failure) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert failure(tmp_path).startswith(f"{tmp_path}: found a directory;")
    assert "folder.csv: found a directory;" in failure(tmp_path / "folder.csv", target="y")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, failure: Failure) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    assert failure(path, target="y").startswith(f"{path}: found no regular file;")


def test_an_unreadable_file_says_why(
    tmp_path: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret.csv"
    path.write_text("x,y\n")
    monkeypatch.setattr(Path, "open", refuse)
    assert failure(path, target="y") == (
        f"{path}: found an error (Permission denied); allowed: a file that can be read"
    )


def test_a_suffix_may_be_in_capitals(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "TABLE.CSV"
    path.write_text("x,y\n" + "1,a\n2,b\n" * 5)
    assert load(path, target="y").feature_names == ("x",)


def test_control_characters_in_a_path_are_escaped(tmp_path: Path, failure: Failure) -> None:
    assert r"\x1b[2J.csv: found no such file" in failure(tmp_path / "\x1b[2J.csv", target="y")


def test_parquet_columns_keep_their_types(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame(
        {
            "count": [1, 2, 3, None] * 5,
            "zip": ["01234", "04321", "NA", "01234"] * 5,
            "old": [True, False, True, True] * 5,
            "y": pl.Series(["a", "b", "a", "b"] * 5, dtype=pl.Categorical),
        }
    ).write_parquet(path)
    dataset = load(path, target="y")
    assert dataset.feature_names == (
        "count",
        "zip=(missing)",
        "zip=01234",
        "zip=04321",
        "old=false",
        "old=true",
    )
    assert dataset.class_names == ("a", "b")


def test_a_parquet_column_that_is_no_table_cell_is_refused(
    tmp_path: Path, failure: Failure
) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"x": [[1], [2], [3]], "y": [1, 2, 3]}).write_parquet(path)
    assert f"{path}: column 'x': found the type 'List(Int64)';" in failure(path, target="y")


def test_a_parquet_message_names_the_row(tmp_path: Path, failure: Failure) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"x": [1.0, 2.0, float("inf")], "y": [1, 2, 3]}).write_parquet(path)
    assert f"{path}: row 3: column 'x': found inf;" in failure(path, target="y")


@pytest.mark.parametrize("content", [b"", b"PAR1" + b"\0" * 40 + b"PAR1", b"x,y\n1,2\n"])
def test_a_broken_parquet_or_npz_file_is_refused(
    tmp_path: Path, failure: Failure, content: bytes
) -> None:
    for suffix in ("parquet", "npz"):
        path = tmp_path / f"broken.{suffix}"
        path.write_bytes(content)
        assert failure(path, target="y").startswith(f"{path}: found no ")


def test_npz_arrays_become_columns(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "table.npz"
    x = np.arange(20.0).reshape(10, 2)
    city = np.array(["Rome", "", "Oslo", "Rome", "Oslo"] * 2)
    np.savez(path, x=x, city=city, y=np.array([0, 1] * 5, dtype=np.uint8))
    dataset = load(path, target="y")
    assert dataset.feature_names == ("x[0]", "x[1]", "city=(missing)", "city=Oslo", "city=Rome")
    assert dataset.class_names == ("0", "1")


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"x": np.zeros((3, 2, 2))}, "array 'x': found the type 'float64' in 3 dimensions"),
        ({"x": np.zeros(3, complex)}, "array 'x': found the type 'complex128' in 1 dimensions"),
        ({"x": np.float64(3)}, "array 'x': found the type 'float64' in 0 dimensions"),
        ({"x": np.zeros(3), "y": np.zeros(4)}, "array 'y': found 4 rows; allowed: 3, as in 'x'"),
        ({"x": np.zeros((3, 1)), "x[0]": np.zeros(3)}, "found the name 'x[0]' for columns 1 and 2"),
        ({"x": np.array([None, 1])}, "found no plain .npz (Object arrays cannot be loaded"),
        ({"x": np.array(["a", "\ud800", "b"])}, "array 'x': found characters that are not Unicode"),
        ({}, "found no rows"),
        ({"x": np.zeros(2), "y": np.zeros(2)}, "found only 2 rows; allowed: at least 3 rows"),
    ],
)
def test_arrays_that_make_no_table_are_refused(
    tmp_path: Path, failure: Failure, arrays: dict[str, Any], expected: str
) -> None:
    path = tmp_path / "table.npz"
    np.savez(path, **arrays)
    message = failure(path, target="y")
    assert message.startswith(f"{path}: ")
    assert expected in message


def test_a_single_npy_array_is_refused(tmp_path: Path, failure: Failure) -> None:
    path = tmp_path / "array.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros((3, 2)))
    assert f"{path}: found a single array (.npy);" in failure(path, target="y")


def test_a_damaged_npz_file_is_refused(tmp_path: Path, failure: Failure) -> None:
    path = tmp_path / "table.npz"
    np.savez(path, x=np.zeros(100))
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(data)
    assert f"{path}: found no plain .npz (Bad CRC-32 for file 'x.npy');" in failure(
        path, target="y"
    )
