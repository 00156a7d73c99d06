"""The loss over a split in evaluation mode, without leaving a trace."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..batches.source import Source
from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..precision import autocast, in_float32
from ..seeds import RandomState
from ..settings.declaration import Precision

# What is given each batch of an evaluation: its outputs, targets and content.
OnBatch = Callable[[Any, Tensor, Any], None]


def take_nothing(_outputs: Any, _targets: Tensor, _content: Any) -> None:
    """What has no use for an evaluation's batches."""


def evaluate(  # noqa: PLR0913 - the parts of a pass, each of its own kind
    model: nn.Module,
    loss: Loss,
    accounting: Accounting,
    source: Source,
    device: torch.device,
    *,
    precision: Precision = "float32",
    on_batch: OnBatch = take_nothing,
) -> LossSum:
    """The losses of a split's batches in evaluation mode, still on the device.

    Nothing remains of it: each submodule's own training flag is put back, and so are torch's
    random generators, should the model draw from them.

    Args:
        model: on `device`.
        loss: of outputs and targets.
        accounting: how the loss counts.
        source: the split.
        device: where the model is.
        precision: of the model's pass.
        on_batch: is given each batch's outputs, targets and content.
    """
    losses = LossSum()
    with without_a_trace(model, device):
        for batch in source.in_order():
            with autocast(precision, device):
                outputs, targets = source.forward(model, batch.content)
            outputs = in_float32(outputs)
            denominator = accounting.denominator_of(batch.denominator, outputs, targets)
            losses.add(loss(outputs, targets), denominator)
            on_batch(outputs, targets, batch.content)
    return losses


@contextmanager
def without_a_trace(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Evaluation mode without gradients; then all flags and generators are as they were."""
    with torch.no_grad(), _evaluation_mode(model), _generators_kept(device):
        yield


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _generators_kept(device: torch.device) -> Iterator[None]:
    state = RandomState.now(device)
    try:
        yield
    finally:
        state.restore(device)
