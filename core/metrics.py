"""What is measured on the validation rows beside the loss."""

from collections.abc import Callable

import torch

from .data.dataset import Dataset
from .precision import in_float64

Metric = Callable[[torch.Tensor, torch.Tensor], float]


def build_metrics(dataset: Dataset) -> dict[str, Metric]:
    """The metrics that people expect of a kind of problem, by the name in the journal."""
    if dataset.problem == "classification":
        return {"val_accuracy": accuracy}
    return {"val_r2": r2}


def accuracy(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """The share of rows whose largest logit, of (rows, classes), is that of the true class."""
    return int((logits.argmax(dim=1) == targets).sum()) / len(targets)


def r2(predictions: torch.Tensor, targets: torch.Tensor) -> float:
    """The share of the targets' variance that the predictions explain; nan if there is none."""
    predictions, targets = in_float64(predictions), in_float64(targets)
    residual = float((targets - predictions).square().sum())
    total = float((targets - targets.mean()).square().sum())
    return 1 - residual / total if total else float("nan")
