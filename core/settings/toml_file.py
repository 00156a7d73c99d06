"""Settings from TOML and from `section.key=value`, and back to TOML.

Layers lie on top of each other: the defaults, a preset, a file, then what the command line
says. Everything that is wrong in a layer is reported together, and nothing is guessed.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ..errors import SettingProblem, SettingsError
from ..wording import did_you_mean, found_text, nearest, one_of
from .consistency import require_consistent
from .data_source import absolute, is_data_file, split_task
from .declaration import FILE_SUFFIXES, PRESETS, Settings
from .fields import (
    SettingField,
    fields_by_path,
    section_names,
    setting_field,
    setting_fields,
    suggestion,
)

# Checked values by their dotted names.
Layer = Mapping[str, object]
Place = Callable[[str], str]


def resolve_settings(
    *, preset: str | None = None, file: Path | None = None, overrides: Iterable[str] = ()
) -> Settings:
    """Lay a preset, a file and `section.key=value` overrides over the defaults.

    Raises:
        SettingsError: with every problem of the first layer that has one; when none has, with
            all settings that do not fit together.
    """
    layers: list[Layer] = [preset_layer(preset)] if preset is not None else []
    if file is not None:
        layers.append(read_layer(file))
    layers.append(parse_overrides(overrides))
    return require_consistent(merge_layers(layers))


def preset_layer(name: str) -> Layer:
    """The settings that a preset changes.

    Raises:
        SettingsError: there is no such preset.
    """
    if name not in PRESETS:
        raise SettingsError([SettingProblem("preset", found_text(name), _instead(name, PRESETS))])
    return check_layer(PRESETS[name])


def read_layer(path: Path) -> Layer:
    """The settings of a TOML file, checked; problems name the file, the line and the key.

    Raises:
        SettingsError: the file cannot be read, is not TOML, or holds keys or values that are
            not allowed: all of them at once.
    """
    import tomllib  # not before somebody reads a file: the screen's first frame needs none

    if path.suffix.lower() in FILE_SUFFIXES:
        allowed = f"a TOML file of settings; for data say --data {path}"
        raise SettingsError([SettingProblem(str(path), "a data file", allowed)])
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text)
    except OSError as error:
        reason = error.strerror or "an error"
        problem = SettingProblem(str(path), reason, "a TOML file that can be read")
        raise SettingsError([problem]) from None
    except UnicodeDecodeError as error:
        found = f"bytes that are not UTF-8 at offset {error.start}"
        raise SettingsError([SettingProblem(str(path), found, "a TOML file in UTF-8")]) from None
    except (ValueError, RecursionError) as error:  # no TOML; too many digits or brackets to read
        raise SettingsError([SettingProblem(str(path), f"no TOML: {error}", "TOML")]) from None
    return check_layer(content, lambda key: _place(path, text, key))


def check_layer(content: Mapping[str, object], place: Place = str) -> Layer:
    """Check nested settings and return them typed, by their dotted names.

    Args:
        content: sections of keys, and keys above them, as TOML parses to.
        place: turns a dotted name into what an error message names.

    Raises:
        SettingsError: with every problem that was found.
    """
    problems: list[SettingProblem] = []
    layer: dict[str, object] = {}
    for section, key, value in _entries(content):
        path = f"{section}.{key}" if section else key
        try:
            field = setting_field(path) if section else _above_sections(key, value)
            layer[path] = field.check(value)
        except SettingsError as error:
            problems += [replace(problem, where=place(path)) for problem in error.problems]
    if problems:
        raise SettingsError(problems)
    return layer


def parse_overrides(overrides: Iterable[str], said_by: str = "--set") -> Layer:
    """Read `section.key=value` items, the last of a key winning.

    Args:
        overrides: the items.
        said_by: what a message about one that cannot be read names beside it.

    Raises:
        SettingsError: with every item that has no `=`, an unknown key or a wrong value.
    """
    problems: list[SettingProblem] = []
    layer: dict[str, object] = {}
    for item in overrides:
        path, equals, text = item.partition("=")
        if not equals:
            problems.append(SettingProblem(said_by, found_text(item), "section.key=value"))
            continue
        try:
            field = setting_field(path.strip(), where=f"{said_by} {path.strip()}")
            layer[field.path] = field.parse(text)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return layer


def merge_layers(layers: Iterable[Layer]) -> Settings:
    """Lay checked layers over the defaults, later ones on top."""
    merged = {path: value for layer in layers for path, value in layer.items()}
    return msgspec.convert(_nested(merged), Settings)


def settings_to_toml(settings: Settings) -> str:
    """Write all settings as TOML that `read_layer` reads back to the same settings.

    What is off is left out: TOML has no word for it, and off is what it is by default.
    """
    said = {field.path: field.value(settings) for field in setting_fields()}
    import tomli_w

    return tomli_w.dumps(_nested({path: said[path] for path in said if said[path] is not None}))


def write_settings(settings: Settings, path: Path) -> None:
    """Save all settings as a TOML file, whole or not at all; one that is there is replaced.

    Raises:
        OSError: the directory cannot be written, or the disk is full; an old file stays.
    """
    unfinished = path.with_name(f".{path.name}.tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(settings_to_toml(settings).encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def read_settings(path: Path) -> Settings:
    """The settings that a TOML file gives on top of the defaults.

    Raises:
        SettingsError: as `read_layer` does.
    """
    return merge_layers([read_layer(path)])


def with_absolute_paths(settings: Settings) -> Settings:
    """Make the paths of a data file and of a task absolute: they then hold from any directory."""
    source, (file, function) = settings.data.source, split_task(settings.task)
    if is_data_file(source):
        settings = setting_field("data.source").replaced(settings, absolute(source))
    if function:
        settings = msgspec.structs.replace(settings, task=f"{absolute(file)}:{function}")
    return settings


def _entries(content: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    """Every key with its section and value; the section is empty for what stands above them."""
    for name, value in content.items():
        if name in section_names() and isinstance(value, Mapping):
            yield from ((name, key, item) for key, item in value.items())
        else:
            yield "", name, value


def _above_sections(name: str, value: object) -> SettingField:
    field = fields_by_path().get(name)
    if field is not None and not field.section:
        return field
    if name in section_names():
        problem = SettingProblem(name, found_text(value), f"a section, [{name}]")
    elif isinstance(value, Mapping):
        problem = SettingProblem(name, "an unknown section", _instead(name, section_names()))
    else:
        problem = SettingProblem(name, "a key outside a section", suggestion(name))
    raise SettingsError([problem])


def _nested(layer: Layer) -> dict[str, Any]:
    """A layer as sections of keys, and the keys above them first."""
    nested: dict[str, Any] = {}
    for path, value in layer.items():
        section, dot, key = path.partition(".")
        if dot:
            nested.setdefault(section, {})[key] = value
        else:
            nested[section] = value
    return nested


def _instead(name: str, options: Iterable[str]) -> str:
    match = nearest(name, options)
    return did_you_mean(match) if match else one_of(options)


def _place(path: Path, text: str, key: str) -> str:
    """Name the file, the line and the dotted key, the line where it can be told."""
    from .toml_lines import line_of

    line = line_of(key, text)
    return f"{path}:{line}: {key}" if line else f"{path}: {key}"
