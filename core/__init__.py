"""epochtop without a screen: settings, data, training, the run directory and its journal.

Importing this package is cheap: what a name needs, torch and scikit-learn too, is loaded when the
name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import DataError, EpochtopError, RunError, SettingsError

if TYPE_CHECKING:
    from .checkpoint.file import load_checkpoint as load_checkpoint
    from .data import Dataset as Dataset
    from .data import Split as Split
    from .data import load_dataset as load_dataset
    from .run.directory import Run as Run
    from .run.directory import find_run as find_run
    from .run.directory import list_runs as list_runs
    from .run.journal import JournalReader as JournalReader
    from .settings.declaration import Settings as Settings
    from .settings.toml_file import read_settings as read_settings
    from .settings.toml_file import resolve_settings as resolve_settings
    from .task.task import Task as Task
    from .training.fit_result import FitResult as FitResult
    from .training.models import build_model as build_model
    from .training.trainer import Trainer as Trainer

_LAZY = {
    "Dataset": ".data",
    "FitResult": ".training.fit_result",
    "JournalReader": ".run.journal",
    "Run": ".run.directory",
    "Settings": ".settings.declaration",
    "Split": ".data",
    "Task": ".task.task",
    "Trainer": ".training.trainer",
    "build_model": ".training.models",
    "find_run": ".run.directory",
    "list_runs": ".run.directory",
    "load_checkpoint": ".checkpoint.file",
    "load_dataset": ".data",
    "read_settings": ".settings.toml_file",
    "resolve_settings": ".settings.toml_file",
}

__all__ = [
    "DataError",
    "EpochtopError",
    "Run",
    "RunError",
    "Settings",
    "SettingsError",
    "find_run",
    "list_runs",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
