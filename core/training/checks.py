"""What a trainer can find out before it spends time on training."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..batches.rows import Rows
from ..batches.source import Data, Source
from ..errors import DataError, LossError
from ..loss.accounting import check_shapes
from ..loss.loss_sum import Loss, LossSum
from ..seeds import generators_kept
from ..task.checks import check_data, check_metrics, check_model
from ..task_wording import described
from .activations import largest_output
from .evaluation import without_a_trace


def check_parts(model: nn.Module, train: Data, val: Data, metrics: Mapping[str, Any]) -> None:
    """Refuse what is none of the kinds that can be trained on.

    Raises:
        TaskError: the model, the data or a metric is of another kind, or there are no rows.
    """
    check_model("model", model)
    check_data("train", train)
    check_data("val", val)
    check_metrics("metrics", metrics)


def check_rows(
    name: str, source: Source, model: nn.Module, loss: Loss, device: torch.device
) -> torch.Size | None:
    """Try the first two rows of a split that is in memory, and see how many to evaluate at once.

    Returns:
        the shape of one row's outputs; None where nobody knows it yet.

    Raises:
        DataError: nothing in the split counts.
        LossError: the loss does not fit the outputs and targets.
    """
    if not isinstance(source, Rows):
        return None
    if source.total_weight == 0:
        raise DataError(f"{name}: found no target that counts in the loss; allowed: some")
    first = source.first_rows(2)
    with largest_output() as largest:
        outputs = check_batch(source, first, model, loss, device)
    source.bound_evaluation(largest.bytes // len(first[0]))
    has_rows = isinstance(outputs, Tensor) and outputs.shape[:1] == first[-1].shape[:1]
    return outputs.shape[1:] if has_rows else None


def check_batch(
    source: Source, content: Any, model: nn.Module, loss: Loss, device: torch.device
) -> Any:
    """Try the model and the loss on a batch; nothing remains of it but the outputs.

    Raises:
        LossError: the loss would broadcast its targets, or gives no single number.
    """
    with generators_kept(device), without_a_trace(model, device):
        outputs, targets = source.forward(model, content)
        if not source.has_own_forward:
            check_shapes(loss, outputs, targets)
        value: Any = loss(outputs, targets)
    if not isinstance(value, Tensor) or value.ndim:
        raise LossError(
            f"loss: found {described(value)} for a batch; allowed: a tensor of shape (), one "
            "number for the batch"
        )
    return outputs


def loss_warnings(loss: Loss) -> list[str]:
    """What a person should know of a loss that may not do what they want."""
    weights = loss.parameters() if isinstance(loss, nn.Module) else ()
    count = sum(weight.numel() for weight in weights if weight.requires_grad)
    if not count:
        return []
    return [
        f"the loss has {count:,} parameters of its own, which are neither trained nor saved; "
        "those of the model are"
    ]


def check_epoch(name: str, losses: LossSum, epoch: int) -> None:
    """Refuse an epoch without a loss.

    Raises:
        DataError: there was no batch, or nothing in the batches counted.
    """
    if not any(losses.denominators):
        raise DataError(
            f"{name}: found nothing that counts in the loss in epoch {epoch}; allowed: some in "
            "each epoch (what is iterated has to begin anew each time)"
        )
