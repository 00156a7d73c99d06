"""The columns of a file, from its top alone."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from epochtop.core.data.header import read_header
from epochtop.core.errors import DataError


def test_a_csv_says_its_columns_and_what_they_hold(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('a; b\n1;x\n"2";NA\n')
    assert read_header(str(file)) == {"a": "numbers", "b": "text"}


def test_a_csv_of_a_gigabyte_is_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    with file.open("wb") as written:
        written.write(b"a,b\n" + b"1,x\n" * 400_000)
        written.truncate(1 << 30)  # the rest are zeros, which a reader would refuse
    assert read_header(str(file)) == {"a": "numbers", "b": "text"}


def test_parquet_and_npz_say_the_columns_that_their_readers_make(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}).write_parquet(tmp_path / "t.parquet")
    assert read_header(str(tmp_path / "t.parquet")) == {"a": "numbers", "b": "text"}
    np.savez(tmp_path / "t.npz", x=np.zeros((3, 2)), y=np.array(["a", "b", "c"]))
    assert read_header(str(tmp_path / "t.npz")) == {
        "x[0]": "numbers",
        "x[1]": "numbers",
        "y": "text",
    }


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_a_file_that_is_none_is_said(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"t{suffix}"
    file.write_bytes(b"\0\1\2")
    with pytest.raises(DataError, match=str(file)):
        read_header(str(file))
    with pytest.raises(DataError, match="no such file"):
        read_header(str(tmp_path / f"none{suffix}"))
