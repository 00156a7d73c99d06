"""Text in rows of so many cells."""

from rich.cells import cell_len, chop_cells


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """A text in rows, the first as wide as `width`, the others behind an indent.

    It is broken at blanks, a word that is longer than a row within itself.

    Args:
        text: may hold line breaks and tabs.
        width: cells of a row after its indent.
        indent: what rows but the first begin with.
    """
    rows = [
        row for line in text.expandtabs(4).split("\n") for row in _wrapped_line(line, max(width, 2))
    ]
    return [rows[0], *(indent + row for row in rows[1:])]


def _wrapped_line(line: str, width: int) -> list[str]:
    if cell_len(line) <= width:
        return [line]
    rows = [""]
    for word in line.split(" "):
        together = f"{rows[-1]} {word}" if rows[-1] else word
        if cell_len(together) <= width:
            rows[-1] = together
            continue
        pieces = chop_cells(word, width)
        rows += pieces
    return rows if rows[0] else rows[1:]
