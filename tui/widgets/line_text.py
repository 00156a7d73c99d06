"""A line of the form as text: a label, a sign, the value, and in a word what there is to know."""

from collections.abc import Mapping

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from ...core.settings.fields import setting_fields
from ..form.outline import Line
from ..words.wording import printable

_LABEL_WIDTH = max(len(field.key) for field in setting_fields())
VALUE_AT = _LABEL_WIDTH + 1
# A sign each for those that see no colours, and a word where there is room.
_SIGNS = {"": " ", "wrong": "!", "pending": "*", "asked": "?", "fixed": " "}
_WORDS = {"pending": "pending", "asked": "asked", "fixed": "fixed"}
_NARROWEST_VALUE = 6

Styles = Mapping[str, Style]


def line_text(line: Line, width: int, styles: Styles, *, is_at: bool) -> Text:
    """A line in exactly so many cells."""
    match line.kind:
        case "fold":
            text = _fold_text(line, styles, is_at=is_at)
        case "note":
            text = Text.assemble("  ", (line.text, styles["wrong"]))
        case _:
            text = _setting_text(line, width, styles, is_at=is_at)
    text.truncate(width, overflow="ellipsis", pad=True)
    return text


def room_for_value(line: Line, width: int) -> int:
    """Cells for the value: what the label and the word leave."""
    word = _WORDS.get(line.sign, "")
    room = width - VALUE_AT
    return room - len(word) - 1 if word and room - len(word) > _NARROWEST_VALUE else room


def _setting_text(line: Line, width: int, styles: Styles, *, is_at: bool) -> Text:
    room = room_for_value(line, width)
    value = Text(_value(line), styles["quiet" if line.sign == "fixed" else "value"])
    value.truncate(room, overflow="ellipsis", pad=True)
    label = "cursor" if is_at else "wrong" if line.sign == "wrong" else "label"
    sign = styles["wrong" if line.sign == "wrong" else "pending"]
    text = Text.assemble(
        (line.label, styles[label]),
        " " * (_LABEL_WIDTH - cell_len(line.label)),
        (_SIGNS[line.sign], sign),
        value,
    )
    if width - VALUE_AT > room:
        word = "quiet" if line.sign == "fixed" else "pending"
        text.append(" ").append(_WORDS[line.sign], styles[word])
    return text


def _value(line: Line) -> str:
    if line.kind == "tick":
        return "[x]" if line.text == "true" else "[ ]"
    return f"{line.text} ▾" if line.kind == "choice" and line.is_editable else printable(line.text)


def _fold_text(line: Line, styles: Styles, *, is_at: bool) -> Text:
    name = "cursor" if is_at else "quiet" if line.level else "section"
    text = Text("▾ " if line.is_open else "▸ ", styles["quiet" if line.level else "section"])
    text.append(line.label, styles[name])
    if line.text:
        text.append(f"  {printable(line.text)}", styles["wrong" if line.sign else "quiet"])
    return text
