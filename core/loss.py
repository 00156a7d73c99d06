"""The loss over a split, exact: the true mean over its rows whatever the batches.

The field's usual mistakes are a mean of batch means (wrong when the last batch is smaller) and
a float32 running sum (off by percents after a million steps). Here each batch's mean is weighted
by its rows, the sum is in float64, and the device is read once a split.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from .data.dataset import Dataset, Split
from .precision import in_float64

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# Rows of one forward pass in evaluation mode: large enough that the calls do not count, small
# enough that the activations of a wide model fit.
EVALUATION_ROWS = 8192


def build_loss(dataset: Dataset) -> Loss:
    """The mean cross-entropy of classes, or the mean squared error of standardised numbers."""
    return nn.CrossEntropyLoss() if dataset.problem == "classification" else nn.MSELoss()


def batch_losses(losses: Sequence[torch.Tensor]) -> list[float]:
    """Read the losses of an epoch's batches from the device, in one go."""
    values: list[float] = in_float64(torch.stack(list(losses))).tolist()
    return values


def weighted_mean(losses: Sequence[float], rows: Sequence[int]) -> float:
    """The mean over all rows, given each batch's mean and its number of rows."""
    if any(not math.isfinite(loss) for loss in losses):
        return sum(losses)  # nan or infinite, as the losses are; fsum would raise
    return math.fsum(loss * n for loss, n in zip(losses, rows, strict=True)) / sum(rows)


@torch.no_grad()
def evaluate(model: nn.Module, loss: Loss, split: Split) -> tuple[float, torch.Tensor]:
    """The loss over a split in evaluation mode, and the model's outputs.

    Every submodule's own training flag is put back afterwards.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        outputs = [model(inputs) for inputs in torch.split(split.inputs, EVALUATION_ROWS)]
        targets = torch.split(split.targets, EVALUATION_ROWS)
        losses = [loss(*pair) for pair in zip(outputs, targets, strict=True)]
    finally:
        for module, mode in modes:
            module.training = mode
    mean = weighted_mean(batch_losses(losses), [len(target) for target in targets])
    return mean, torch.cat(outputs)


def baseline_loss(dataset: Dataset) -> float:
    """The validation loss of the best constant predictor that the training rows give.

    It predicts each class's share of the training rows, or their mean. A model that does not
    beat it has learnt nothing from the features.
    """
    if dataset.problem == "regression":
        mean = dataset.train.targets.double().mean()
        return float((dataset.val.targets.double() - mean).square().mean())
    counts = torch.bincount(dataset.train.targets, minlength=dataset.num_outputs).double()
    log_shares = torch.log(counts / counts.sum())
    return float(-log_shares[dataset.val.targets].mean())
