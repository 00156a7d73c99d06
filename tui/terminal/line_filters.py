"""What is done to every line of the screen before the terminal gets it, borders and all.

A widget draws as it likes; these see to it that no terminal gets what it cannot show, whoever
drew it.
"""

from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_GLYPHS = {
    "-": "─━┄┅┈┉╌╍═╴╶╸╺╼╾\u2013—\u2212\u2010\u2011",
    "|": "│┃┆┇┊┋╎╏║╵╷╹╻╽╿▏▕▎▌▐▊",
    "+": "┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋╞╡╪╟╢╫╤╧╥╨",
    "#": "█▓▉▋▍■▮▆▇◼",
    "=": "▄▀▂▃▅≡",
    "_": "▁",
    "~": "▔≈",
    ":": "▒",
    ".": "░·‥⋅",
    "*": "●◆•★⬤✱∙",
    "o": "○◇◦◎◯⭘",
    "v": "▼▾↓⬇",
    "^": "▲▴↑⬆",
    ">": "▶▸→►\u276f\u203a≥»",
    "<": "◀◂←◄\u276e\u2039≤«",
    "x": "✗✘\u00d7✕",
    "'": "\u2018\u2019",
    '"': "\u201c\u201d",
    " ": "\u00a0\u2002\u2003\u2009\u202f",
}
# One glyph for each cell, so that nothing moves: an ellipsis is one dot.
_TO_ASCII = {ord(glyph): plain for plain, glyphs in _GLYPHS.items() for glyph in glyphs}
_TO_ASCII |= {
    ord("…"): ".",
    ord("✓"): "v",
    ord("✔"): "v",
    ord("°"): " ",
    ord("µ"): "u",
    ord("🔎"): "> ",
}
_BRAILLE = range(0x2800, 0x2900)
# A braille character as one that is about as dark.
_BY_DOTS = " .::==###"


class AsciiOnly(LineFilter):
    """Puts a character of ASCII into the place of every other, so many cells for so many."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in ASCII."""
        del background
        return [
            segment if segment.control else Segment(to_ascii(segment.text), segment.style)
            for segment in segments
        ]


class WithoutColours(LineFilter):
    """Takes the colours away and leaves bold, dim, underlined and reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in the terminal's own colours."""
        del background
        return [
            Segment(text, _without_colours(style) if style else style, control)
            for text, style, control in segments
        ]


def to_ascii(text: str) -> str:
    """A text in printable ASCII that takes as many cells; what has no likeness is `?`."""
    return text if text.isascii() else "".join(map(_plain, text))


@lru_cache(4096)
def _plain(character: str) -> str:
    code = ord(character)
    if code < 0x80:
        return character
    if code in _BRAILLE:
        return _BY_DOTS[(code - _BRAILLE.start).bit_count()]
    return _TO_ASCII.get(code) or "?" * get_character_cell_size(character)


@lru_cache(4096)
def _without_colours(style: Style) -> Style:
    return style.without_color
