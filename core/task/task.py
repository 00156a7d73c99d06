"""A task: a model, its data and its loss, from a user's own Python.

`epochtop train --task FILE.py:FUNCTION` calls the function with the settings; it returns a `Task`.
"""

import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from ..batches.source import Data, Forward
from ..errors import TaskError
from ..loss.loss_sum import Loss
from ..loss.metrics import Metric
from ..settings.data_source import expanded, split_task
from ..settings.declaration import Settings
from ..task_wording import cause, described, task_error
from ..wording import listed, nearest, quoted, spelled_out, unknown
from .checks import check_callable, check_data, check_metrics, check_model
from .file import import_file, line_in

_A_FUNCTION = "a function that takes the settings and returns a Task"


@dataclass(frozen=True, eq=False)
class Task:
    """What is trained, on what, and what is measured.

    Args:
        model: trained on the device of the settings, wherever it is now.
        loss: the loss of a batch from outputs and targets: a criterion of torch's or any other
            function; one with a method `denominator(outputs, targets)` says what its mean was
            divided by.
        train: the training data: (inputs, targets) as tensors or a `Split`, which stay in memory
            and are batched as the settings say; a `Dataset`, which is, too; or a `DataLoader`.
        val: the validation data, likewise.
        metrics: what else to measure on the validation data, by the name in the journal:
            functions of all outputs and targets, or objects such as torchmetrics'.
        forward: given the model and a batch, both on the device, returns what the loss takes:
            outputs and targets. For batches other than (inputs..., target) and dicts with a
            target, and for losses of more than the model's logits.

    Raises:
        TaskError: one of them is of another kind, or there are no rows.
    """

    model: nn.Module
    loss: Loss
    _: KW_ONLY
    train: Data
    val: Data
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    forward: Forward | None = None

    def __post_init__(self) -> None:
        check_model("Task.model", self.model)
        check_callable("Task.loss", self.loss, "a criterion such as nn.CrossEntropyLoss()")
        check_data("Task.train", self.train)
        check_data("Task.val", self.val)
        check_metrics("Task.metrics", self.metrics)
        if self.forward is not None:
            check_callable("Task.forward", self.forward, "a function of a model and a batch")


def load_task(spec: str, settings: Settings) -> Task:
    """Call a user's function for its task.

    Python's, numpy's and torch's random generators are seeded with `train.seed` before the file
    is run, so that the same settings make the same task: also when a run is resumed.

    Args:
        spec: FILE.py:FUNCTION.
        settings: what the function is given.

    Raises:
        TaskError: there is no such file or function, it fails, or what it returns is no task;
            the message names the line, and the error is chained to its cause.
    """
    file, name = split_task(spec)
    path = Path(expanded(file))
    _check_file(spec, path, name)
    _seed_generators(settings.train.seed)
    with _blamed_on(path):
        module = import_file(path)
    function = _function(path, module, name)
    with _blamed_on(path):
        task = function(settings)
    if not isinstance(task, Task):
        where = f"{_place(path, _first_line(function, path))}: {name}"
        hint = " (is there no return?)" if task is None else ""
        raise task_error(where, f"{described(task)} returned{hint}", "a Task")
    return task


def _seed_generators(seed: int) -> None:
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


def _check_file(spec: str, path: Path, name: str) -> None:
    if not name.isidentifier() or path.suffix != ".py":
        raise task_error("task", quoted(spec), "FILE.py:FUNCTION, such as task.py:build")
    if path.is_dir():
        raise task_error(_place(path), "a directory", "a Python file")
    if not path.is_file():
        match = nearest(path.name, (file.name for file in path.parent.glob("*.py")))
        hint = f" (did you mean {quoted(match)}?)" if match else ""
        raise task_error(_place(path), f"no such file{hint}", "a Python file that exists")


def _function(path: Path, module: ModuleType, name: str) -> Callable[[Settings], Any]:
    if name not in vars(module):
        there = [key for key, value in vars(module).items() if _is_own_function(value, module)]
        allowed = listed(there) if there else _A_FUNCTION
        raise task_error(_place(path), f"no function {unknown(name, there)}", allowed)
    function: Any = vars(module)[name]
    where = f"{_place(path, _first_line(function, path))}: {name}"
    if not callable(function):
        raise task_error(where, described(function), _A_FUNCTION)
    try:
        inspect.signature(function).bind(Settings())
    except TypeError:
        found = f"the arguments {inspect.signature(function)}"
        raise task_error(where, found, "one argument, the settings") from None
    except ValueError:
        pass  # written in C, it does not say what it takes; calling it will
    return cast("Callable[[Settings], Any]", function)


def _is_own_function(value: object, module: ModuleType) -> bool:
    return inspect.isfunction(value) and value.__module__ == module.__name__


def _first_line(function: object, path: Path) -> int | None:
    """Where a function begins, None when that is in another file."""
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    return code.co_firstlineno if code and code.co_filename == str(path.resolve()) else None


def _place(path: Path, line: int | None = None) -> str:
    return spelled_out(str(path)) + (f":{line}" if line else "")


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    """Make whatever a user's file raises an error that names its line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise TaskError(f"{_place(path, line_in(path, error))}: {cause(error)}") from error
