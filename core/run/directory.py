"""The run directory: create one, find it again by name, list them all."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ..errors import RunError
from ..settings.data_source import is_data_file, split_task
from ..settings.declaration import Settings

STAMP = "%Y%m%d-%H%M%S"
_LONGEST_LABEL = 80
_NUMBERED = re.compile(r"~\d+$")
_STAMPED = re.compile(r"\d{8}-\d{6}-")


class Run(msgspec.Struct, frozen=True):
    """The files of one run."""

    path: Path

    @property
    def name(self) -> str:
        """The directory's name: when the run was created, and what it was called."""
        return self.path.name

    @property
    def label(self) -> str:
        """The name without the time, and without the number of one that had its second taken."""
        return _NUMBERED.sub("", _STAMPED.sub("", self.name, count=1))

    @property
    def settings_path(self) -> Path:
        """All settings of the run, resolved."""
        return self.path / "settings.toml"

    @property
    def journal_path(self) -> Path:
        """What happened."""
        return self.path / "journal.jsonl"

    @property
    def log_path(self) -> Path:
        """What the engine wrote to stdout and stderr, and its warnings."""
        return self.path / "engine.log"

    @property
    def engine_path(self) -> Path:
        """Which process trains, or trained, the run."""
        return self.path / "engine.json"

    @property
    def lock_path(self) -> Path:
        """Held by the engine as long as it lives."""
        return self.path / "engine.lock"

    @property
    def control_path(self) -> Path:
        """Commands to the live engine, a file each."""
        return self.path / "control"


def create_run(runs: Path, settings: Settings, name: str | None = None) -> Run:
    """Create the directory of a new run, with its settings in it.

    Args:
        runs: where runs live; created when it is missing.
        settings: written resolved: a data file's path becomes absolute.
        name: what the run is called after its time; by default its data and model.

    Raises:
        RunError: the name cannot be a directory's, or the directory cannot be written.
    """
    label = _checked_label(name) if name is not None else default_label(settings)
    toml = _encoded(settings)
    try:
        run = Run(_new_directory(runs, f"{time.strftime(STAMP)}-{label}"))
    except OSError as error:
        raise _not_created(error, runs) from None
    try:
        run.control_path.mkdir()
        run.settings_path.write_bytes(toml)
    except OSError as error:
        import shutil  # for this alone

        shutil.rmtree(run.path, ignore_errors=True)  # nobody shall wonder what it was
        raise _not_created(error, run.path) from None
    return run


def _not_created(error: OSError, where: Path) -> RunError:
    return RunError(f"{error.filename or where}: cannot create a run here: {error.strerror}")


def default_label(settings: Settings) -> str:
    """What a run is called that was given no name: its task, or its data and its model."""
    if settings.task:
        file, function = split_task(settings.task)
        return f"{_plain(Path(file).stem)}-{_plain(function)}"
    source = settings.data.source
    data = Path(source).stem if is_data_file(source) else source
    return f"{_plain(data)}-{settings.model.kind}"


def list_runs(runs: Path | str = "runs") -> list[Run]:
    """All runs below a directory, oldest first; empty when there is no such directory."""
    return sorted(_runs_in(Path(runs)), key=_order)


def find_run(text: str, runs: Path | str = "runs") -> Run:
    """The run that a directory, a name or an unambiguous prefix of a name stands for.

    A name is the directory's, or what follows the time in it.

    Raises:
        RunError: no run, or more than one, is meant.
    """
    candidate = Path(text)
    if _is_run(candidate):
        return Run(candidate.absolute())
    known = list_runs(runs)
    matches = _first_filled(
        [run for run in known if run.name == text],
        [run for run in known if run.label == text],
        [run for run in known if run.name.startswith(text) or run.label.startswith(text)],
    )
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise RunError(_none_found(text, runs, known))
    names = "\n".join(f"  {run.name}" for run in matches[-10:])
    raise RunError(f'run "{text}": {len(matches)} runs are called so; which one?\n{names}')


def _runs_in(runs: Path) -> Iterator[Run]:
    if runs.is_dir():
        yield from (Run(path.absolute()) for path in runs.iterdir() if _is_run(path))


def _is_run(path: Path) -> bool:
    # os.path.isfile takes any text a person types; Path.is_file raises on a name too long
    return any(os.path.isfile(path / name) for name in ("settings.toml", "journal.jsonl"))  # noqa: PTH113


def _order(run: Run) -> tuple[str, int, str]:
    """By the second of creation, within one by when the settings were written."""
    stamp = run.name[:15] if _STAMPED.match(run.name) else ""
    try:
        written = run.settings_path.stat().st_mtime_ns
    except OSError:
        written = 0
    return stamp, written, run.name


def _new_directory(runs: Path, name: str) -> Path:
    runs.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = (runs / (name if number == 1 else f"{name}~{number}")).absolute()
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path


def _encoded(settings: Settings) -> bytes:
    from ..settings.toml_file import settings_to_toml, with_absolute_paths  # as they import much

    try:
        return settings_to_toml(with_absolute_paths(settings)).encode()
    except UnicodeEncodeError:
        where = "task" if settings.task else "data.source"
        raise RunError(f"{where}: found a path that is not UTF-8; allowed: UTF-8") from None


def _checked_label(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+=,-]{0,99}", name):
        raise RunError(
            f'--name: found "{name}"; allowed: 1 to 100 letters, digits and _ - . + = ,, '
            "the first a letter, a digit or _"
        )
    return name


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text)[:_LONGEST_LABEL].lstrip(".") or "_"


def _first_filled(*lists: list[Run]) -> list[Run]:
    return next((found for found in lists if found), [])


def _none_found(text: str, runs: Path | str, known: list[Run]) -> str:
    if not known:
        return f'run "{text}": there is no run in {runs}'
    names = "\n".join(f"  {run.name}" for run in known[-10:])
    return f'run "{text}": not found in {runs}; the newest there:\n{names}'
