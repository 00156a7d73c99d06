"""Whether the parts of a task are what they have to be."""

from collections.abc import Mapping
from typing import Any

import msgspec
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.data import DataLoader, Dataset, IterableDataset

from ..data.dataset import Split
from ..events import EpochCompleted
from ..loss.metrics import is_metric_object
from ..task_wording import described, task_error
from ..wording import quoted, spelled_out

_DATA = "a tuple of two tensors (inputs, targets), a Split, a Dataset or a DataLoader"
_NAME = "text that is no field of the journal's own records"


def check_model(where: str, model: Any) -> None:
    """Raise a `TaskError` unless it is a model that can be trained."""
    if not isinstance(model, nn.Module):
        raise task_error(where, described(model), "an nn.Module")
    weights = list(model.parameters())
    if any(is_lazy(weight) for weight in weights):
        found = f"{described(model)} with lazy layers of no shape yet"
        raise task_error(where, found, "a model that has seen a batch")
    if not any(weight.requires_grad for weight in weights):
        found = f"{described(model)} without a parameter that requires a gradient"
        raise task_error(where, found, "a model that can learn")


def check_callable(where: str, function: Any, allowed: str) -> None:
    """Raise a `TaskError` unless it is a function, or an object that can be called like one."""
    if isinstance(function, type) or not callable(function):
        raise task_error(where, described(function), allowed)


def check_data(where: str, data: Any) -> None:
    """Raise a `TaskError` unless it is data of a kind that can be trained on, and not empty."""
    if isinstance(data, Split):
        _check_tensors(where, (data.inputs, data.targets))
    elif isinstance(data, tuple):
        _check_tensors(where, data)
    elif isinstance(data, Dataset | DataLoader) or _is_like_a_dataset(data):
        _check_length(where, data)
    else:
        raise task_error(where, described(data), _DATA)


def check_metrics(where: str, metrics: Any) -> None:
    """Raise a `TaskError` unless it is a mapping of names to metrics."""
    if not isinstance(metrics, Mapping):
        raise task_error(where, described(metrics), "a dict of metrics by name")
    taken = {"event", *(field.name for field in msgspec.structs.fields(EpochCompleted))}
    for name, metric in metrics.items():
        if not isinstance(name, str) or not name or name != spelled_out(name) or name in taken:
            found = quoted(name) if isinstance(name, str) else described(name)
            raise task_error(where, f"the name {found}", _NAME)
        if isinstance(metric, type) or not (callable(metric) or is_metric_object(metric)):
            allowed = "a function of outputs and targets, or an object with reset, update, compute"
            raise task_error(f"{where}[{quoted(name)}]", described(metric), allowed)


def _check_tensors(where: str, data: tuple[Any, ...]) -> None:
    if len(data) != 2 or not all(isinstance(part, Tensor) for part in data):
        raise task_error(where, described(data), _DATA)
    inputs, targets = data
    if not (inputs.ndim and targets.ndim):
        found = f"inputs of shape {tuple(inputs.shape)}, targets of shape {tuple(targets.shape)}"
        raise task_error(where, found, "tensors whose first dimension is the rows")
    if len(inputs) != len(targets):
        found = f"{len(inputs):,} rows of inputs and {len(targets):,} of targets"
        raise task_error(where, found, "as many of the ones as of the others")
    if not len(inputs):
        raise task_error(where, "no row", "at least one")


def _check_length(where: str, data: Any) -> None:
    try:
        length = len(data)
    except (TypeError, NotImplementedError):
        if isinstance(data, IterableDataset | DataLoader):
            return  # a stream
        found = f"{described(data)} without a length"
        raise task_error(where, found, "a Dataset with __len__, or an IterableDataset") from None
    if length:
        return
    if isinstance(data, DataLoader):
        found = "a DataLoader without a batch"
        raise task_error(where, found, "at least one (does drop_last leave none?)")
    raise task_error(where, f"{described(data)} without a row", "at least one")


def _is_like_a_dataset(data: Any) -> bool:
    """Whether a loader can take rows from it, as from Hugging Face's data sets.

    A list or an array could be loaded from as well, but is more likely inputs without targets.
    """
    if isinstance(data, type | list | str | bytes | Mapping) or hasattr(data, "__array__"):
        return False
    return hasattr(data, "__len__") and hasattr(data, "__getitem__")
