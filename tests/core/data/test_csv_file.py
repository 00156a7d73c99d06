import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.data import Dataset
from epochtop.core.data.csv_file import ROWS_AT_ONCE, read_csv

from .conftest import WriteCsv

Load = Callable[..., Dataset]
Failure = Callable[..., str]
WriteText = Callable[[str], Path]

# What a cell may hold; csv cannot say a NUL, and a lone surrogate is no UTF-8.
CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
AWKWARD = st.sampled_from(
    ["a,b", 'say "hi"', "two\nlines", "two\r\nlines", "\r", "é€😀", " x ", ""]
)


@given(st.lists(st.tuples(CELL | AWKWARD, CELL | AWKWARD, CELL | AWKWARD), max_size=30))
def test_every_row_that_csv_writes_is_read_back_on_its_line(rows: list[tuple[str, ...]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("one", "two", "three"), *rows])
    data = text.getvalue()
    table = read_csv(io.BytesIO(data.encode()), "table.csv")
    assert table.frame.height == len(table.lines) == len(rows)
    assert table.frame.columns == ["one", "two", "three"]
    line_ends = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row, line in zip(rows, table.lines, strict=True):
        start = next(csv.reader([line_ends[line - 1]]))[0]
        assert row[0].replace("\r\n", "\n").replace("\r", "\n").split("\n")[0] == start


def test_quotes_newlines_and_carriage_returns_are_read(write_text: WriteText) -> None:
    path = write_text('name,age,"y, really"\r\n"Doe, ""J""",1,a\r\n"x\r\ny",2,b\r\nz,3,a\r\n')
    table = read_csv(io.BytesIO(path.read_bytes()), "table.csv")
    assert table.frame["name"].to_list() == ['Doe, "J"', "x\r\ny", "z"]
    assert table.frame.columns == ["name", "age", "y, really"]
    assert table.lines == [2, 3, 5]


def test_a_byte_order_mark_is_no_part_of_the_first_name(write_text: WriteText, load: Load) -> None:
    path = write_text("\ufeffage,y\n" + "1,a\n2,b\n" * 5)
    assert load(path, target="y").feature_names == ("age",)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_semicolon_or_tab_is_told_from_the_header(
    write_text: WriteText, load: Load, delimiter: str
) -> None:
    path = write_text(
        '"size, cm";y\n'.replace(";", delimiter) + f"1{delimiter}a\n2{delimiter}b\n" * 5
    )
    assert load(path, target="y").feature_names == ("size, cm",)


def test_a_comma_wins_over_a_semicolon_in_a_name(write_text: WriteText, load: Load) -> None:
    path = write_text("a;b,y\n" + "1,a\n2,b\n" * 5)
    assert load(path, target="y").feature_names == ("a;b",)


def test_blank_lines_and_blanks_around_cells_do_not_matter(
    write_text: WriteText, load: Load
) -> None:
    path = write_text("\nage , y\n\n" + '1, "a"\n2 ,b\n\n' * 5 + "\n")
    dataset = load(path, target="y")
    assert dataset.class_names == ("a", "b")
    assert len(dataset.train) + len(dataset.val) == 10


def test_the_rows_of_several_chunks_are_joined() -> None:
    rows = 2 * ROWS_AT_ONCE + 3
    text = "x,y\n" + "".join(f"{index},a\n" for index in range(rows))
    table = read_csv(io.BytesIO(text.encode()), "table.csv")
    assert table.frame["x"].to_list() == list(range(rows))
    assert table.lines == list(range(2, rows + 2))


def test_an_empty_file_is_refused(write_text: WriteText, failure: Failure) -> None:
    path = write_text("")
    expected = f"{path}: found an empty file; allowed: a header row and rows below it"
    assert failure(path, target="y") == expected
    assert failure(write_text("\n\n"), target="y") == expected


def test_a_header_without_rows_is_refused(write_text: WriteText, failure: Failure) -> None:
    path = write_text("x,y\n")
    assert failure(path, target="y") == f"{path}: found no rows; allowed: at least 3 rows"


def test_a_nul_byte_is_named_by_line_and_offset(write_text: WriteText, failure: Failure) -> None:
    path = write_text("x,y\n1,a\n\0,b\n")
    assert failure(path, target="y") == (
        f"{path}: line 3: found a NUL byte at byte 8; allowed: text in UTF-8"
    )


def test_bytes_that_are_not_utf8_are_named_by_line_and_offset(
    tmp_path: Path, failure: Failure
) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("x,y\n1,a\n2,é\n".encode("latin-1"))
    message = failure(path, target="y")
    assert message.startswith(f"{path}: line 3: found bytes that are not UTF-8 at byte 10;")


def test_a_name_used_twice_is_refused(write_text: WriteText, failure: Failure) -> None:
    path = write_text("x,y,x\n1,2,3\n")
    assert failure(path, target="y") == (
        f"{path}: line 1: found the name 'x' for columns 1 and 3; "
        "allowed: a different name for each column"
    )


def test_a_column_without_a_name_is_refused(write_text: WriteText, failure: Failure) -> None:
    path = write_text("\nx, ,y\n1,2,3\n")
    message = failure(path, target="y")
    assert message.startswith(f"{path}: line 2: found no name for column 2;")


@pytest.mark.parametrize(("row", "count"), [("9", "1 cell"), ("1,2,3,4", "4 cells")])
def test_a_row_of_another_length_is_named_by_its_line_in_an_editor(
    write_text: WriteText, failure: Failure, row: str, count: str
) -> None:
    path = write_text(f'x,z,y\n"two\nlines",1,a\n\n{row}\n1\n')
    assert failure(path, target="y") == (
        f"{path}: line 5: found {count}; allowed: 3, as in the header on line 1"
    )


def test_a_quote_that_is_never_closed_is_named_by_its_record(
    write_text: WriteText, failure: Failure
) -> None:
    path = write_text('x,y\n1,a\n"2,b\n3,c\n')
    message = failure(path, target="y")
    assert message.startswith(f"{path}: line 3: found a quote that is never closed;")


def test_a_quote_never_closed_in_a_long_file_is_found_too(
    write_text: WriteText, failure: Failure
) -> None:
    path = write_text('x,y\n1,a\n"2,b\n' + "3,c\n" * 50_000)
    message = failure(path, target="y")
    assert message.startswith(f"{path}: line 3: found a cell of more than 131,072 characters;")
    assert "is a quote never closed?" in message


def test_text_after_a_closing_quote_is_refused(write_text: WriteText, failure: Failure) -> None:
    path = write_text('x,y\n"1"0,a\n')
    message = failure(path, target="y")
    assert message.startswith(f"{path}: line 2: found text after a closing quote (on line 2);")


def test_an_error_in_the_header_is_named_too(write_text: WriteText, failure: Failure) -> None:
    message = failure(write_text('"x"x,y\n1,2\n'), target="y")
    assert "line 1: found text after a closing quote" in message


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999", "1e39"])
def test_a_number_that_is_not_finite_is_named_by_line_and_column(
    write_text: WriteText, failure: Failure, cell: str
) -> None:
    path = write_text(f"x,y\n1,a\n2,b\n{cell},a\n")
    message = failure(path, target="y")
    assert message.startswith(f"{path}: line 4: column 'x': found ")
    assert "allowed: a finite number" in message


def test_a_long_or_unprintable_name_is_cut_and_escaped(
    write_csv: WriteCsv, failure: Failure
) -> None:
    name = "\x1b[2J" + "n" * 100
    path = write_csv([name, name], [])
    message = failure(path, target="y")
    assert r"'\x1b[2J" + "n" * 55 + "…'" in message
