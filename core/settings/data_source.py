"""What can be said of the data, or of a task, without reading it, and so without scikit-learn."""

import os
from pathlib import Path

from ..errors import SettingProblem
from ..wording import found_text
from .declaration import BUILT_IN_SOURCES, FILE_SUFFIXES, DataSettings, Settings


def check_source(settings: Settings) -> list[SettingProblem]:
    """What is wrong with what is learnt from, at first sight; a form says it while one types.

    With a task that is the task alone: it brings data of its own.
    """
    return check_task(settings.task) if settings.task else check_data(settings.data)


def check_data(data: DataSettings) -> list[SettingProblem]:
    """What is wrong with a source and its target at first sight."""
    if data.source in BUILT_IN_SOURCES:
        return [_problem("target", data.target, "nothing, for a built-in set")] * bool(data.target)
    path = Path(expanded(data.source))
    if path.suffix.lower() not in FILE_SUFFIXES:
        return [_problem("source", data.source, _allowed_sources())]
    if not _is_file(path):
        return [_problem("source", data.source, "a file that exists")]
    if not data.target:
        return [_problem("target", data.target, f"the name of a column of {path.name}")]
    return []


def check_task(task: str) -> list[SettingProblem]:
    """What is wrong with FILE.py:FUNCTION at first sight; the file is not run."""
    file, function = split_task(task)
    if not file.endswith(".py") or not function.isidentifier():
        allowed = "FILE.py:FUNCTION, such as task.py:build"
        return [SettingProblem("task", found_text(task), allowed)]
    if not _is_file(Path(expanded(file))):
        return [SettingProblem("task", found_text(task), "the function of a file that exists")]
    return []


def split_task(task: str) -> tuple[str, str]:
    """The file of FILE.py:FUNCTION and the function, which is empty when none is said."""
    file, colon, function = task.rpartition(":")
    return (file, function) if colon else (task, "")


def is_data_file(source: str) -> bool:
    """Whether a data source is a path and not the name of a built-in set."""
    return bool(Path(source).suffix) or "/" in source or "\\" in source


def expanded(path: str) -> str:
    """A path with the home directory for its `~`; as it is when there is no such user."""
    return os.path.expanduser(path)  # noqa: PTH111 - unlike Path.expanduser it never raises


def absolute(path: str) -> str:
    """A path that holds from any directory."""
    return str(Path(expanded(path)).absolute())


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - unlike Path.is_file it takes any text


def _problem(key: str, found: str, allowed: str) -> SettingProblem:
    return SettingProblem(f"data.{key}", found_text(found), allowed)


def _allowed_sources() -> str:
    return f"{', '.join(BUILT_IN_SOURCES)}, or a {', '.join(FILE_SUFFIXES)} file"
