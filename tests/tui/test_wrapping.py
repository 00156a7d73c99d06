from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from epochtop.tui.words.wrapping import wrapped


def test_a_text_is_broken_at_blanks_and_goes_on_behind_its_indent() -> None:
    assert wrapped("one two three", 7, "  ") == ["one two", "  three"]


def test_a_word_longer_than_a_row_is_broken_within_itself() -> None:
    assert wrapped("a abcdefgh b", 4, "") == ["a", "abcd", "efgh", "b"]


def test_line_breaks_stay_and_an_empty_text_is_an_empty_row() -> None:
    assert wrapped("a\nb", 9, "> ") == ["a", "> b"]
    assert wrapped("", 9, "> ") == [""]


@given(text=st.text(alphabet="ab 界\n", max_size=60), width=st.integers(2, 20))
def test_no_row_is_too_wide_and_no_word_is_lost(text: str, width: int) -> None:
    rows = wrapped(text, width, "")
    assert all(cell_len(row) <= width for row in rows)
    assert "".join("".join(rows).split()) == "".join(text.split())
