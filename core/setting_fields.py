"""The settings as a list of fields, read off their declaration.

A form, a command line and a TOML file all hold one setting as a `SettingField`: it parses what
a person typed, checks what a file holds, and says what would be allowed.
"""

import math
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from .errors import SettingProblem, SettingsError
from .settings import Settings


@dataclass(frozen=True)
class SettingField:
    """One setting: where it stands, what it may be, what it is when nobody says."""

    section: str
    key: str
    default: Any
    help: str
    annotation: Any
    kind: inspect.Type

    @property
    def path(self) -> str:
        """The dotted name, such as `optim.lr`."""
        return f"{self.section}.{self.key}"

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from, empty when the setting is not a choice."""
        if isinstance(self.kind, inspect.LiteralType):
            return tuple(str(value) for value in self.kind.values)
        return ()

    @property
    def allowed(self) -> str:
        """The values that the setting takes, in words."""
        return _describe(self.kind)

    def check(self, value: object) -> Any:
        """Return `value` as the setting's own type.

        Raises:
            SettingsError: the type is another one, or the value is out of bounds.
        """
        try:
            checked = msgspec.convert(value, self.annotation)
        except msgspec.ValidationError:
            raise self._error(value) from None
        if isinstance(checked, float) and not math.isfinite(checked):
            raise self._error(value)
        if isinstance(checked, str) and not _is_plain(checked):
            raise self._error(value, "text without control characters, in UTF-8")
        return checked

    def parse(self, text: str) -> Any:
        """Return the value that a person typed, with or without TOML's quotes and brackets.

        Raises:
            SettingsError: the text is no value of this setting.
        """
        try:
            return self.check(self._from_text(text.strip()))
        except SettingsError as error:
            raise self._error(text, error.problems[0].allowed) from None

    def format(self, value: object) -> str:
        """Write a value as a person would type it; `parse` reads it back."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list | tuple):
            return ", ".join(str(item) for item in value)
        if isinstance(value, str) and value != _unquoted(value.strip()):
            return f'"{value}"'
        return str(value)

    def _from_text(self, text: str) -> object:
        if isinstance(self.kind, inspect.StrType | inspect.LiteralType):
            return _unquoted(text)
        if isinstance(self.kind, inspect.VarTupleType) and not text.startswith("["):
            text = f"[{text}]"
        if isinstance(self.kind, inspect.FloatType):
            return _float_or_text(text)
        try:
            parsed = tomllib.loads(f"value = {text}")
        except (ValueError, RecursionError):  # no TOML; too many digits or brackets to read
            return text
        return parsed["value"] if len(parsed) == 1 else text

    def _error(self, value: object, allowed: str | None = None) -> SettingsError:
        return SettingsError(
            [SettingProblem(self.path, repr_found(value), allowed or self.allowed)]
        )


@cache
def setting_fields() -> tuple[SettingField, ...]:
    """Every setting, in the order of the declaration."""
    return tuple(_walk())


def setting_field(path: str, where: str | None = None) -> SettingField:
    """The setting of a dotted name.

    Args:
        path: such as `optim.lr`.
        where: what the error message names, when that is more than the path.

    Raises:
        SettingsError: there is none of that name; the message suggests the nearest.
    """
    by_path = {field.path: field for field in setting_fields()}
    if path in by_path:
        return by_path[path]
    raise SettingsError(
        [SettingProblem(where or path, "an unknown setting", suggestion(path, by_path))]
    )


def suggestion(path: str, known: Iterator[str] | dict[str, Any] | list[str]) -> str:
    """What to write instead of a misspelt `section.key`: the nearest, else all of the section."""
    paths = list(known)
    section, _, key = path.partition(".")
    same_key = [candidate for candidate in paths if candidate.partition(".")[2] == (key or path)]
    nearest = get_close_matches(path, paths, n=1, cutoff=0.7)
    if same_key or nearest:
        return f"{(same_key or nearest)[0]} (did you mean this?)"
    in_section = [candidate for candidate in paths if candidate.startswith(f"{section}.")]
    sections = [f"{name}.*" for name in dict.fromkeys(path.partition(".")[0] for path in paths)]
    return ", ".join(in_section or sections)


def repr_found(value: object) -> str:
    """A value as an error message quotes it: text in quotes, long ones cut."""
    try:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no more than 4300 digits
        text = "a number of thousands of digits"
    if isinstance(value, bool):
        text = text.lower()
    return text if len(text) <= 80 else f"{text[:76]}..."


def _walk() -> Iterator[SettingField]:
    for section in msgspec.structs.fields(Settings):
        section_type = section.type
        for field in msgspec.structs.fields(section_type):
            bare, description = _without_metadata(inspect.type_info(field.type))
            yield SettingField(
                section=section.name,
                key=field.name,
                default=field.default,
                help=description,
                annotation=field.type,
                kind=bare,
            )


def _without_metadata(kind: inspect.Type) -> tuple[inspect.Type, str]:
    """Split a type from its description."""
    description = ""
    while isinstance(kind, inspect.Metadata):
        description = (kind.extra_json_schema or {}).get("description", description)
        kind = kind.type
    return kind, description


def _describe(kind: inspect.Type) -> str:  # noqa: PLR0911 - a case a kind of setting
    match _without_metadata(kind)[0]:
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() as bounds:
            return "a whole number" + _bounds(bounds)
        case inspect.FloatType() as bounds:
            return "a number" + _bounds(bounds)
        case inspect.VarTupleType(item_type=item):
            return f"a list of at least one item, each {_describe(item)}, such as 64, 64"
        case inspect.StrType(pattern=str()):
            return "auto, cpu, cuda, cuda:1 (any index) or mps"
        case inspect.StrType(min_length=int()):
            return "text, not empty"
        case _:
            return "text"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    words = {"gt": "greater than", "ge": "of at least", "lt": "less than", "le": "of at most"}
    said = [
        f"{words[name]} {bound:g}" if abs(bound) < 1e5 else f"{words[name]} {bound}"
        for name in words
        if (bound := getattr(kind, name)) is not None
    ]
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge} to {kind.le}"
    return f" {' and '.join(said)}" if said else ""


def _is_plain(text: str) -> bool:
    """False for control characters, and for what Python makes of bytes that are not UTF-8."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _float_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
