"""How a training ended, for who called it from Python."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn

from ..events import EpochCompleted, FinishReason


@dataclass(frozen=True)
class FitResult:
    """How training ended; `model` holds the best epoch's weights if `restore_best` says so."""

    reason: FinishReason
    message: str
    epoch: int
    best_epoch: int | None
    best_loss: float | None
    model: nn.Module
    history: Sequence[EpochCompleted] = field(repr=False)
