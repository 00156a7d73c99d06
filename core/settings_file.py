"""Settings from TOML and from `section.key=value`, and back to TOML.

Layers lie on top of each other: the defaults, a preset, a file, then what the command line
says. Everything that is wrong in a layer is reported together, and nothing is guessed.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import msgspec
import tomli_w

from .errors import SettingProblem, SettingsError
from .setting_fields import repr_found, setting_field, setting_fields, suggestion
from .settings import PRESETS, Settings
from .source import FILE_SUFFIXES, expanded

Layer = Mapping[str, Mapping[str, object]]
Place = Callable[[str], str]


def resolve_settings(
    *, preset: str | None = None, file: Path | None = None, overrides: Iterable[str] = ()
) -> Settings:
    """Lay a preset, a file and `section.key=value` overrides over the defaults.

    Raises:
        SettingsError: with every problem of the first layer that has one.
    """
    layers: list[Layer] = [preset_layer(preset)] if preset is not None else []
    if file is not None:
        layers.append(read_layer(file))
    layers.append(parse_overrides(overrides))
    return merge_layers(layers)


def preset_layer(name: str) -> Layer:
    """The settings that a preset changes.

    Raises:
        SettingsError: there is no such preset.
    """
    if name not in PRESETS:
        raise SettingsError([SettingProblem("preset", repr_found(name), _one_of(name, PRESETS))])
    return PRESETS[name]


def read_layer(path: Path) -> Layer:
    """The settings of a TOML file, checked; problems name the file, the line and the key.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or holds keys or values that are
            not allowed: all of them at once.
    """
    if path.suffix.lower() in FILE_SUFFIXES:
        allowed = f"a TOML file of settings; for data say --data {path}"
        raise SettingsError([SettingProblem(str(path), "a data file", allowed)])
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(
            [
                SettingProblem(
                    str(path), error.strerror or "an error", "a TOML file that can be read"
                )
            ]
        ) from None
    except UnicodeDecodeError as error:
        found = f"bytes that are not UTF-8 at offset {error.start}"
        raise SettingsError([SettingProblem(str(path), found, "a TOML file in UTF-8")]) from None
    except (ValueError, RecursionError) as error:  # no TOML; too many digits or brackets to read
        raise SettingsError([SettingProblem(str(path), f"no TOML: {error}", "TOML")]) from None
    return check_layer(content, lambda key: _place(path, text, key))


def check_layer(content: Mapping[str, object], place: Place = str) -> Layer:
    """Check nested settings and return them typed.

    Args:
        content: sections of keys, as TOML parses to.
        place: turns a dotted name into what an error message names.

    Raises:
        SettingsError: with every problem that was found.
    """
    problems: list[SettingProblem] = []
    layer: dict[str, dict[str, object]] = {}
    sections = [field.name for field in msgspec.structs.fields(Settings)]
    for section, keys in content.items():
        if section not in sections:
            problems.append(_unknown_section(section, keys, sections, place(section)))
        elif not isinstance(keys, Mapping):
            found = repr_found(keys)
            problems.append(SettingProblem(place(section), found, f"a section, [{section}]"))
        else:
            layer[section] = _checked_section(section, keys, place, problems)
    if problems:
        raise SettingsError(problems)
    return layer


def parse_overrides(overrides: Iterable[str]) -> Layer:
    """Read `section.key=value` items, the last of a key winning.

    Raises:
        SettingsError: with every item that has no `=`, an unknown key or a wrong value.
    """
    problems: list[SettingProblem] = []
    layer: dict[str, dict[str, object]] = {}
    for item in overrides:
        path, equals, text = item.partition("=")
        if not equals:
            problems.append(SettingProblem("--set", repr_found(item), "section.key=value"))
            continue
        try:
            field = setting_field(path.strip(), where=f"--set {path.strip()}")
            layer.setdefault(field.section, {})[field.key] = field.parse(text)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return layer


def merge_layers(layers: Iterable[Layer]) -> Settings:
    """Lay checked layers over the defaults, later ones on top."""
    merged: dict[str, dict[str, object]] = {}
    for layer in layers:
        for section, keys in layer.items():
            merged.setdefault(section, {}).update(keys)
    return msgspec.convert(merged, Settings)


def settings_to_toml(settings: Settings) -> str:
    """Write all settings as TOML that `read_layer` reads back to the same settings."""
    return tomli_w.dumps(msgspec.to_builtins(settings))


def read_settings(path: Path) -> Settings:
    """The settings that a TOML file gives on top of the defaults.

    Raises:
        SettingsError: as `read_layer` does.
    """
    return merge_layers([read_layer(path)])


def with_absolute_source(settings: Settings) -> Settings:
    """Make the path of a data file absolute, so that the settings hold from any directory."""
    source = settings.data.source
    if not is_data_file(source):
        return settings
    absolute = str(Path(expanded(source)).absolute())
    return msgspec.structs.replace(
        settings, data=msgspec.structs.replace(settings.data, source=absolute)
    )


def is_data_file(source: str) -> bool:
    """Whether a data source is a path and not the name of a built-in set."""
    return bool(Path(source).suffix) or "/" in source or "\\" in source


def _checked_section(
    section: str, keys: Mapping[str, object], place: Place, problems: list[SettingProblem]
) -> dict[str, object]:
    checked: dict[str, object] = {}
    for key, value in keys.items():
        path = f"{section}.{key}"
        try:
            checked[key] = setting_field(path).check(value)
        except SettingsError as error:
            problems += [replace(problem, where=place(path)) for problem in error.problems]
    return checked


def _unknown_section(section: str, keys: object, sections: list[str], where: str) -> SettingProblem:
    if isinstance(keys, Mapping):
        return SettingProblem(where, "an unknown section", _one_of(section, sections))
    paths = [field.path for field in setting_fields()]
    return SettingProblem(where, "a key outside a section", suggestion(section, paths))


def _one_of(name: str, known: Iterable[str]) -> str:
    options = list(known)
    nearest = get_close_matches(name, options, n=1)
    return f"{nearest[0]} (did you mean this?)" if nearest else "one of " + ", ".join(options)


def _place(path: Path, text: str, key: str) -> str:
    """Name the file, the line and the dotted key, the line where it can be told."""
    line = _line_of(text, key)
    return f"{path}:{line}: {key}" if line else f"{path}: {key}"


def _line_of(text: str, path: str) -> int | None:
    """The line on which a section or key is written, None when it is written another way."""
    section, _, key = path.partition(".")
    current = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
            current = header[1]
            if path == current:
                return number
        elif re.match(_assignment(key if current else path), line) and current in ("", section):
            return number
    return None


def _assignment(key: str) -> str:
    return rf"\s*[\"']?{re.escape(key)}[\"']?\s*="
