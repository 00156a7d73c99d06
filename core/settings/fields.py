"""The settings as a list of fields, read off their declaration.

A form, a command line and a TOML file all hold one setting as a `SettingField`: it parses what
a person typed, checks what a file holds, and says what would be allowed.
"""

import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from ..errors import SettingProblem, SettingsError
from ..wording import did_you_mean, found_text, nearest
from .declaration import Choice, Settings
from .values import OFF, allowed_text, is_plain, split_kind, value_from_text, value_text


class SettingField(msgspec.Struct, frozen=True):
    """One setting: where it stands, what it may be, what it is when nobody says.

    `section` is empty for a setting that stands above all sections. `optional` ones may be None,
    which a person and a file call `off`; `live` ones may change while the run is live; `common`
    ones are what people say first. `choice` tells what could be offered for text.
    """

    section: str
    key: str
    default: Any
    help: str
    annotation: Any
    kind: inspect.Type
    optional: bool
    live: bool
    common: bool
    choice: Choice | None

    @property
    def path(self) -> str:
        """The dotted name, such as `optim.lr`."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from, empty when the setting is not a choice."""
        if isinstance(self.kind, inspect.LiteralType):
            return tuple(str(value) for value in self.kind.values)
        return ()

    @property
    def allowed(self) -> str:
        """The values that the setting takes, in words."""
        return allowed_text(self.kind, optional=self.optional)

    def value(self, settings: Settings) -> Any:
        """What these settings say."""
        return getattr(self._holder(settings), self.key)

    def replaced(self, settings: Settings, value: object) -> Settings:
        """The settings with another, checked value of this one."""
        holder = msgspec.structs.replace(self._holder(settings), **{self.key: value})
        if isinstance(holder, Settings):
            return holder
        return msgspec.structs.replace(settings, **{self.section: holder})

    def check(self, value: object) -> Any:
        """Return `value` as the setting's own type.

        Raises:
            SettingsError: the type is another one, or the value is out of bounds.
        """
        if self.optional and value == OFF:
            return None
        try:
            checked = msgspec.convert(value, self.annotation)
        except msgspec.ValidationError:
            raise self._error(value) from None
        if isinstance(checked, float) and not math.isfinite(checked):
            raise self._error(value)
        if isinstance(checked, str) and not is_plain(checked):
            raise self._error(value, "text without control characters, in UTF-8")
        return checked

    def parse(self, text: str) -> Any:
        """Return the value that a person typed, with or without TOML's quotes and brackets.

        Raises:
            SettingsError: the text is no value of this setting.
        """
        try:
            return self.check(value_from_text(text, self.kind, optional=self.optional))
        except SettingsError as error:
            raise self._error(text, error.problems[0].allowed) from None

    def format(self, value: object) -> str:
        """Write a value as a person would type it; `parse` reads it back."""
        return value_text(value)

    def _holder(self, settings: Settings) -> msgspec.Struct:
        holder: msgspec.Struct = getattr(settings, self.section) if self.section else settings
        return holder

    def _error(self, value: object, allowed: str | None = None) -> SettingsError:
        return SettingsError(
            [SettingProblem(self.path, found_text(value), allowed or self.allowed)]
        )


@cache
def setting_fields() -> tuple[SettingField, ...]:
    """Every setting, in the order of the declaration."""
    return tuple(_walk())


@cache
def fields_by_path() -> dict[str, SettingField]:
    """Every setting by its dotted name, in the order of the declaration."""
    return {field.path: field for field in setting_fields()}


@cache
def section_names() -> tuple[str, ...]:
    """The sections that settings stand in, in the order of the declaration."""
    return tuple(dict.fromkeys(field.section for field in setting_fields() if field.section))


def setting_field(path: str, where: str | None = None) -> SettingField:
    """The setting of a dotted name.

    Args:
        path: such as `optim.lr`.
        where: what the error message names, when that is more than the path.

    Raises:
        SettingsError: there is none of that name; the message suggests the nearest.
    """
    if path in fields_by_path():
        return fields_by_path()[path]
    problem = SettingProblem(where or path, "an unknown setting", suggestion(path))
    raise SettingsError([problem])


def suggestion(path: str) -> str:
    """What to write instead of a misspelt `section.key`: the nearest, else all of the section."""
    section, _, key = path.partition(".")
    fields = setting_fields()
    same_key = [field.path for field in fields if field.key == (key or path)]
    match = next(iter(same_key), None) or nearest(path, fields_by_path(), cutoff=0.7)
    if match and path not in section_names():
        return did_you_mean(match)
    in_section = [field.path for field in fields if field.section and field.section == section]
    return ", ".join(in_section or _outline(fields))


def _outline(fields: Iterable[SettingField]) -> Iterable[str]:
    """Every section once, and every setting above them."""
    return dict.fromkeys(f"{field.section}.*" if field.section else field.path for field in fields)


def _walk() -> Iterator[SettingField]:
    for entry in msgspec.structs.fields(Settings):
        if isinstance(entry.type, type) and issubclass(entry.type, msgspec.Struct):
            for field in msgspec.structs.fields(entry.type):
                yield _field(entry.name, field)
        else:
            yield _field("", entry)


def _field(section: str, declared: msgspec.structs.FieldInfo) -> SettingField:
    described = inspect.type_info(declared.type)
    kind, optional = split_kind(described)
    if not isinstance(described, inspect.Metadata):
        raise TypeError(f"{section}.{declared.name} is declared without a description")
    extra = described.extra or {}
    return SettingField(
        section=section,
        key=declared.name,
        default=declared.default,
        help=(described.extra_json_schema or {}).get("description", ""),
        annotation=declared.type,
        kind=kind,
        optional=optional,
        live=extra.get("live", False),
        common=extra.get("common", False) or extra.get("live", False),
        choice=extra.get("choice"),
    )
