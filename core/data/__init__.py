"""Data of any source, as two splits of tensors.

Importing this package is cheap; torch and scikit-learn are loaded when a name is first used. A
screen may look at a file's columns (`header`) without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dataset import Dataset as Dataset
    from .dataset import Split as Split
    from .dataset import TargetScale as TargetScale
    from .load import load_dataset as load_dataset

_LAZY = {
    "Dataset": ".dataset",
    "Split": ".dataset",
    "TargetScale": ".dataset",
    "load_dataset": ".load",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
