"""A picture in cells: a character and a role each, which a palette turns into colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ..look.palette import ROLES, Palette, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

Run = tuple[str, Role]


class Picture(msgspec.Struct, frozen=True):
    """The cells of a picture, row 0 at the top; drawn upon while it is made."""

    characters: NDArray[np.str_]
    roles: NDArray[np.int8]

    @classmethod
    def of_lines(cls, lines: Sequence[str], width: int, role: Role) -> Picture:
        """Lines of text, cut or filled up to a width."""
        characters = np.array([list(line[:width].ljust(width)) for line in lines], "<U1")
        return cls(characters, np.full(characters.shape, ROLES.index(role), np.int8))

    def copy(self) -> Picture:
        """The same, to be drawn upon."""
        return Picture(self.characters.copy(), self.roles.copy())

    def canvas(self, left: int, top: int, width: int, height: int) -> Picture:
        """A part of the picture; what is drawn there is drawn here."""
        rows, columns = slice(top, top + height), slice(left, left + width)
        return Picture(self.characters[rows, columns], self.roles[rows, columns])

    def put(self, row: int, column: int, text: str, role: Role) -> None:
        """Write text from a cell on, over what is there; what does not fit is cut."""
        text = text[: max(0, self.characters.shape[1] - column)]
        self.characters[row, column : column + len(text)] = list(text)
        self.roles[row, column : column + len(text)] = ROLES.index(role)

    def put_into_blanks(self, row: int, column: int, text: str, role: Role) -> bool:
        """Write text if there is nothing in its place, nor just beside it."""
        end = column + len(text)
        if column < 0 or end > self.characters.shape[1]:
            return False
        if (self.characters[row, max(0, column - 1) : end + 1] != " ").any():
            return False
        self.put(row, column, text, role)
        return True

    def lay_over(self, characters: NDArray[np.str_], role: Role) -> None:
        """Draw all characters that are not blank over what is there."""
        is_drawn = characters != " "
        self.characters[is_drawn] = characters[is_drawn]
        self.roles[is_drawn] = ROLES.index(role)

    def lay_under(self, row: int | slice, column: int | slice, glyph: str, role: Role) -> None:
        """Draw a glyph into the blank cells of a row or a column."""
        characters, roles = self.characters[row, column], self.roles[row, column]
        is_blank = characters == " "
        characters[is_blank] = glyph
        roles[is_blank] = ROLES.index(role)

    def rows(self) -> Iterator[list[Run]]:
        """Each row as stretches of one role."""
        for characters, roles in zip(self.characters, self.roles, strict=True):
            starts = [0, *(np.flatnonzero(roles[1:] != roles[:-1]) + 1).tolist(), len(roles)]
            text = "".join(characters.tolist())
            yield [(text[start:end], ROLES[roles[start]]) for start, end in pairwise(starts)]

    def text(self, palette: Palette) -> str:
        """The picture as lines of text, with ANSI colours where the palette has any."""
        return "\n".join(
            "".join(coloured(text, role, palette) for text, role in row) for row in self.rows()
        )


def coloured(text: str, role: Role, palette: Palette) -> str:
    """Text in a role's colour, as ANSI."""
    colour = palette.colour(role)
    if colour is None or not text.strip():
        return text
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"\x1b[38;2;{red};{green};{blue}m{text}\x1b[0m"
