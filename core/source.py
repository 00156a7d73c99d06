"""What can be said of a data source without reading it, and so without scikit-learn."""

import os
from pathlib import Path

from .errors import SettingProblem
from .setting_fields import repr_found
from .settings import BUILT_IN_SOURCES, DataSettings

FILE_SUFFIXES = (".csv", ".parquet", ".npz")


def check_source(data: DataSettings) -> list[SettingProblem]:
    """What is wrong with a source and its target at first sight; a form says it while one types."""
    if data.source in BUILT_IN_SOURCES:
        return [_problem("target", data.target, "nothing, for a built-in set")] * bool(data.target)
    path = Path(expanded(data.source))
    if path.suffix.lower() not in FILE_SUFFIXES:
        return [_problem("source", data.source, _allowed_sources())]
    if not os.path.isfile(path):  # noqa: PTH113 - unlike Path.is_file it takes any text
        return [_problem("source", data.source, "a file that exists")]
    if not data.target:
        return [_problem("target", data.target, f"the name of a column of {path.name}")]
    return []


def expanded(source: str) -> str:
    """A source with the home directory for its `~`; as it is when there is no such user."""
    return os.path.expanduser(source)  # noqa: PTH111 - unlike Path.expanduser it never raises


def _problem(key: str, found: str, allowed: str) -> SettingProblem:
    return SettingProblem(f"data.{key}", repr_found(found), allowed)


def _allowed_sources() -> str:
    return f"{', '.join(BUILT_IN_SOURCES)}, or a {', '.join(FILE_SUFFIXES)} file"
