"""What is measured on the validation rows beside the loss.

A metric is a function of all outputs and targets, or an object that takes them batch by batch:
torchmetrics' and torcheval's (`update(outputs, targets)`) as well as ignite's
(`update((outputs, targets))`).
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeGuard, cast

import torch
from torch import Tensor

from ..batch import joined
from ..data.dataset import Dataset
from ..errors import TaskError
from ..precision import in_float64
from ..task_wording import cause, described, task_error
from ..wording import quoted

# What CrossEntropyLoss ignores unless told otherwise.
IGNORE_INDEX = -100


class MetricObject(Protocol):
    """Takes outputs and targets batch by batch, as torchmetrics' objects do."""

    def reset(self) -> Any:
        """Forget all batches."""

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch."""

    def compute(self) -> Any:
        """One number, or a dict of numbers, over all batches since the reset."""


MetricFunction = Callable[[Any, Any], Any]
Metric = MetricFunction | MetricObject


def build_metrics(dataset: Dataset) -> dict[str, Metric]:
    """The metrics that people expect of a kind of problem, by the name in the journal."""
    if dataset.problem == "classification":
        return {"val_accuracy": accuracy}
    return {"val_r2": r2}


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """The share of targets that the logits get right; nan if no target counts.

    Args:
        logits: of shape (rows, classes, ...): the largest one is the prediction. Or of the
            targets' shape, with or without a last dimension of 1: above 0 is the prediction of
            1, as `BCEWithLogitsLoss` has it, for each label.
        targets: class indices of shape (rows, ...), of which -100 does not count; or 0 and 1.

    Raises:
        TaskError: the shapes do not go together.
    """
    if logits.shape == (*targets.shape, 1):
        logits = logits.squeeze(-1)
    if logits.shape == targets.shape:
        right, counted = (logits > 0) == (targets > 0.5), targets.numel()
    elif logits.shape[:1] + logits.shape[2:] == targets.shape:
        right = logits.argmax(dim=1) == targets
        counted = int(torch.count_nonzero(targets.long() != IGNORE_INDEX))
    else:
        allowed = "logits of shape (rows, classes, ...) or of the targets' shape"
        raise task_error("accuracy", _shapes(logits, targets), allowed)
    return int(torch.count_nonzero(right)) / counted if counted else math.nan


def r2(predictions: Tensor, targets: Tensor) -> float:
    """The share of the targets' variance that the predictions explain; nan if there is none.

    Several numbers a row count together, each around its own mean (scikit-learn's
    `r2_score(multioutput="variance_weighted")`).

    Raises:
        TaskError: the shapes differ; (rows, 1) and (rows,) would pair every row with every other.
    """
    if predictions.shape != targets.shape:
        raise task_error("r2", _shapes(predictions, targets), "the same shape")
    predictions, targets = in_float64(predictions), in_float64(targets)
    residual = float((targets - predictions).square().sum())
    total = float((targets - targets.mean(dim=0)).square().sum())
    return 1 - residual / total if total else math.nan


def is_metric_object(metric: Metric) -> TypeGuard[MetricObject]:
    """Whether a metric takes batch by batch; torchmetrics' objects can be called as well."""
    return all(callable(getattr(metric, name, None)) for name in ("reset", "update", "compute"))


class MetricSums:
    """One pass over the validation batches, as all metrics see it.

    Functions are given all rows at once, so these are kept when there is a function. Objects
    are reset at the start, moved to the outputs' device, and keep nothing but their own sums.

    Args:
        metrics: by name.

    Raises:
        TaskError: from any method, when a metric fails; the message names it.
    """

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self._metrics = metrics
        self._functions: dict[str, MetricFunction] = {}
        self._updates: dict[str, Callable[[Any, Tensor], Any]] = {}
        self._outputs: list[Any] = []
        self._targets: list[Any] = []
        self._has_begun = False
        for name, metric in metrics.items():
            with _blamed_on(name):
                if is_metric_object(metric):
                    metric.reset()
                    self._updates[name] = _update_of(metric)
                else:
                    self._functions[name] = cast("MetricFunction", metric)

    @torch.no_grad()
    def add(self, outputs: Any, targets: Any) -> None:
        """Take in a batch: what the loss is given, on the model's device."""
        if self._functions:
            self._outputs.append(outputs)
            self._targets.append(targets)
        for name, update in self._updates.items():
            with _blamed_on(name):
                if not self._has_begun:
                    _move(self._metrics[name], outputs, targets)
                update(outputs, targets)
        self._has_begun = True

    @torch.no_grad()
    def result(self) -> dict[str, float]:
        """Every metric over all rows, by name; those of a dict as name_key; nan without rows."""
        if not self._has_begun:
            return dict.fromkeys(self._metrics, math.nan)
        outputs, targets = joined(self._outputs), joined(self._targets)
        results: dict[str, float] = {}
        for name, metric in self._metrics.items():
            with _blamed_on(name):
                function = self._functions.get(name)
                value = function(outputs, targets) if function else _computed(metric)
                for key, number in _numbers(name, value):
                    if key in results:
                        raise task_error(quoted(key), "a second result of this name", "one")
                    results[key] = number
        return results


def _update_of(metric: MetricObject) -> Callable[[Any, Tensor], Any]:
    """How the metric takes a batch: ignite's take outputs and targets as one argument."""
    try:
        parameters = list(inspect.signature(metric.update).parameters.values())
    except (TypeError, ValueError):  # written in C, say
        return metric.update
    takes_pair = len(parameters) == 1 and parameters[0].kind is not parameters[0].VAR_POSITIONAL
    if not takes_pair:
        return metric.update
    return lambda outputs, targets: metric.update((outputs, targets))


def _computed(metric: Metric) -> Any:
    return cast("MetricObject", metric).compute()


def _move(metric: Metric, *batch: Any) -> None:
    """Move a metric's sums, if they can be moved, to where the batch is."""
    devices = [part.device for part in batch if isinstance(part, Tensor)]
    if devices and callable(move := getattr(metric, "to", None)):
        move(devices[0])


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(f"{name}_{key}", item)
    else:
        yield name, _number(value)


def _number(value: Any) -> float:
    if isinstance(value, Tensor) and value.numel() == 1:
        value = value.item()
    try:
        if not isinstance(value, Tensor | str):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    allowed = 'one number or a dict of numbers (torchmetrics: average="macro" or "micro")'
    raise task_error("its result", described(value), allowed)


def _shapes(outputs: Tensor, targets: Tensor) -> str:
    return f"outputs of shape {tuple(outputs.shape)} and targets of shape {tuple(targets.shape)}"


@contextmanager
def _blamed_on(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise TaskError(f"metric {quoted(name)}: {cause(error)}") from error
