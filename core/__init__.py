"""epochtop without a screen: settings, data, training, the run directory and its journal.

Importing this package is cheap; torch and scikit-learn are loaded when a name that needs them
is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import DataError, EpochtopError, RunError, SettingsError
from .run import Run, find_run, list_runs
from .settings import Settings

if TYPE_CHECKING:
    from .checkpoint_file import load_checkpoint as load_checkpoint
    from .data import Dataset as Dataset
    from .data import Split as Split
    from .data import load_dataset as load_dataset
    from .journal import JournalReader as JournalReader
    from .models import build_model as build_model
    from .settings_file import read_settings as read_settings
    from .settings_file import resolve_settings as resolve_settings
    from .task import Task as Task
    from .trainer import FitResult as FitResult
    from .trainer import Trainer as Trainer

_LAZY = {
    "Dataset": ".data",
    "FitResult": ".trainer",
    "JournalReader": ".journal",
    "Split": ".data",
    "Task": ".task",
    "Trainer": ".trainer",
    "build_model": ".models",
    "load_checkpoint": ".checkpoint_file",
    "load_dataset": ".data",
    "read_settings": ".settings_file",
    "resolve_settings": ".settings_file",
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
