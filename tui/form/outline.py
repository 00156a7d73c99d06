"""The lines of the form: sections that fold, a row a setting, and what is wrong below it."""

from collections.abc import Collection, Iterator
from functools import cache
from itertools import groupby
from textwrap import wrap
from typing import Literal

import msgspec

from ...core.settings.fields import SettingField, setting_fields
from ..words.wording import printable
from .sheet import CUSTOM, PRESET_SETTINGS, Sheet, Sign

PRESET = "preset"
_MORE = ".more"
# What is said first, then what is seldom changed: one setting alone is not worth a fold.
_FEWEST_TO_FOLD = 2


class Line(msgspec.Struct, frozen=True):
    """A line of the form; `key` is a setting's dotted name, a fold's name or `preset`."""

    kind: Literal["choice", "tick", "text", "fold", "note"]
    key: str
    label: str
    text: str = ""
    options: tuple[str, ...] = ()
    sign: Sign = ""
    completes: bool = False
    level: int = 0
    is_open: bool = False

    @property
    def takes_focus(self) -> bool:
        """Whether the cursor stops here."""
        return self.kind != "note"

    @property
    def is_editable(self) -> bool:
        """Whether something can be typed, ticked or chosen here."""
        return self.sign != "fixed" and self.kind in ("choice", "tick", "text")


class Section(msgspec.Struct, frozen=True):
    """The settings of a section: those always said, and the rest below a fold of its own."""

    name: str
    common: tuple[SettingField, ...]
    more: tuple[SettingField, ...]


@cache
def sections() -> tuple[Section, ...]:
    """All sections, in the order of the declaration; the first has no name."""
    return tuple(
        _section(name, tuple(fields))
        for name, fields in groupby(setting_fields(), lambda field: field.section)
    )


def open_at_first() -> frozenset[str]:
    """The folds that are open as long as nobody closes them."""
    return frozenset(section.name for section in sections())


def folds_around(path: str) -> frozenset[str]:
    """The folds that have to be open for a setting to be seen."""
    for section in sections():
        if any(field.path == path for field in section.more):
            return frozenset((section.name, section.name + _MORE))
        if any(field.path == path for field in section.common):
            return frozenset((section.name,))
    return frozenset()


def outline(sheet: Sheet, is_open: Collection[str], width: int) -> tuple[Line, ...]:
    """The lines of a sheet with these folds open; notes wrap at a width."""
    return tuple(_lines(sheet, is_open, max(width, 12)))


def _lines(sheet: Sheet, is_open: Collection[str], width: int) -> Iterator[Line]:
    sign: Sign = "fixed" if sheet.is_live else ""
    yield Line("choice", PRESET, PRESET, sheet.preset, (*PRESET_SETTINGS, CUSTOM)[:-1], sign)
    for section in sections():
        if section.name:
            yield _fold(sheet, section.name, section.name, section.common + section.more, is_open)
        if section.name and section.name not in is_open:
            continue
        for field in section.common:
            yield from _rows(sheet, field, width)
        if section.more:
            name, label = section.name + _MORE, f"{len(section.more)} more"
            yield _fold(sheet, name, label, section.more, is_open)
            for field in section.more if name in is_open else ():
                yield from _rows(sheet, field, width)


def _rows(sheet: Sheet, field: SettingField, width: int) -> Iterator[Line]:
    text, sign = sheet.shown.texts[field.path], sheet.sign(field)
    if field.choices:
        yield Line("choice", field.path, field.key, text, field.choices, sign)
    elif isinstance(field.default, bool):
        yield Line("tick", field.path, field.key, text, ("false", "true"), sign)
    else:
        completes = field.choice is not None
        yield Line("text", field.path, field.key, text, sign=sign, completes=completes)
    for line in wrap(printable(sheet.problems.get(field.path, "")), width - 2):
        yield Line("note", field.path, "", line, sign="wrong")


def _fold(
    sheet: Sheet, name: str, label: str, fields: tuple[SettingField, ...], is_open: Collection[str]
) -> Line:
    opened = name in is_open
    wrong = [field.key for field in fields if field.path in sheet.problems]
    sign: Sign = "wrong" if wrong and not opened else ""
    text = "" if opened else _summary(sheet, fields, wrong)
    level = int(name.endswith(_MORE))
    return Line("fold", name, label, text, sign=sign, level=level, is_open=opened)


def _summary(sheet: Sheet, fields: tuple[SettingField, ...], wrong: list[str]) -> str:
    """What is wrong in a folded section, what waits, and what differs from the defaults."""
    waiting = [field.key for field in fields if sheet.sign(field) in ("pending", "asked")]
    texts = sheet.shown.texts
    said = [f"wrong: {', '.join(wrong)}"] if wrong else []
    said += [f"pending: {', '.join(waiting)}"] if waiting else []
    said += [
        f"{field.key} {texts[field.path]}"
        for field in fields
        if field.key not in wrong + waiting and texts[field.path] != field.format(field.default)
    ]
    return ", ".join(said)


def _section(name: str, fields: tuple[SettingField, ...]) -> Section:
    more = tuple(field for field in fields if not field.common)
    if len(more) < _FEWEST_TO_FOLD:
        return Section(name, fields, ())
    return Section(name, tuple(field for field in fields if field.common), more)
