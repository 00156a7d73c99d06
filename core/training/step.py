"""One optimiser step: forward, backward, update.

`PlainStep` learns from one batch in float32 as directly as torch allows. `GeneralStep` does the
same with what people add to it: several batches a step, gradient clipping, mixed precision. The
compiled form is in `compiled_step`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from ..batches.source import Batch, Forward
from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..optim.backward import backward
from ..optim.update import LeanUpdate
from ..precision import autocast, in_float32
from ..settings.declaration import Settings

if TYPE_CHECKING:
    from .trainer import Trainer


@dataclass(frozen=True)
class Learner:
    """What a step works on: the model, how it takes a batch, its loss and its optimiser.

    `weights` are those that training moves; `batch_rows` is the usual batch's number of rows.
    `knows_denominators`: what a batch counts in the loss is known before its forward pass.
    """

    model: nn.Module
    forward: Forward
    loss: Loss
    accounting: Accounting
    optimizer: torch.optim.Optimizer
    settings: Settings
    device: torch.device
    weights: list[nn.Parameter]
    batch_rows: int | None
    knows_denominators: bool

    @property
    def may_be_empty(self) -> bool:
        """Whether only the forward pass shows if anything in a batch counts."""
        return self.accounting.can_be_empty and not self.knows_denominators


def learner_of(trainer: "Trainer") -> Learner:
    """What a trainer's steps work on."""
    source, accounting = trainer.train, trainer.accounting
    return Learner(
        model=trainer.model,
        forward=source.forward,
        loss=trainer.loss,
        accounting=accounting,
        optimizer=trainer.optimizer,
        settings=trainer.settings,
        device=trainer.device,
        weights=[weight for weight in trainer.model.parameters() if weight.requires_grad],
        batch_rows=source.batch_rows,
        knows_denominators=not source.has_own_forward and accounting.own_denominator is None,
    )


class Step(Protocol):
    """Takes one optimiser step."""

    @property
    def scaler(self) -> torch.amp.GradScaler | None:
        """What scales fp16's losses, None in other precisions."""

    def __call__(self, batches: Sequence[Batch], losses: LossSum) -> Tensor | None:
        """Learn from batches and add their losses.

        Returns:
            The gradients' norm before clipping, on the device; None when they are not clipped.
        """


def build_step(learner: Learner, warn: Callable[[str], None]) -> Step:
    """The leanest step that does what the settings ask for."""
    optim, train = learner.settings.optim, learner.settings.train
    if train.compile:
        from .compiled_step import CompiledStep

        return CompiledStep(learner, warn)
    is_plain = optim.accumulate == 1 and optim.clip_norm == 0 and train.precision == "float32"
    if is_plain and not learner.may_be_empty:
        return PlainStep(learner)
    return GeneralStep(learner)


class PlainStep:
    """A step on one batch in float32."""

    scaler: torch.amp.GradScaler | None = None

    def __init__(self, learner: Learner) -> None:
        self._model = learner.model
        self._forward = learner.forward
        self._loss = learner.loss
        self._accounting = learner.accounting
        self._update = LeanUpdate(learner.optimizer)

    def __call__(self, batches: Sequence[Batch], losses: LossSum) -> None:
        """Learn from the one batch."""
        (batch,) = batches
        outputs, targets = self._forward(self._model, batch.content)
        loss = self._loss(outputs, targets)
        backward(loss)
        self._update()
        denominator = batch.denominator
        if denominator is None:
            losses.add(loss, self._accounting.denominator(outputs, targets))
        else:
            losses.add(loss, denominator)


class GeneralStep:
    """A step on several batches, with clipped gradients, in any precision.

    The gradient is that of the mean over all batches of the step, each weighted by its own
    denominator, and not the mean of the batches' means. A batch in which nothing counts moves
    neither weights nor buffers.
    """

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._precision = learner.settings.train.precision
        self._clip_norm = learner.settings.optim.clip_norm
        scales = self._precision == "fp16"
        self.scaler = torch.amp.GradScaler(learner.device.type) if scales else None
        self._update = LeanUpdate(learner.optimizer)

    def __call__(self, batches: Sequence[Batch], losses: LossSum) -> Tensor | None:
        """Learn from the batches."""
        optimizer = self._learner.optimizer
        if len(batches) == 1:
            total = self._backward(batches[0], losses)
        else:
            total = self._accumulate(batches, losses)
        if self._learner.may_be_empty and total == 0:
            optimizer.zero_grad()
            return None
        if self.scaler is None:
            norm = self._clip()
            self._update()
            return norm
        self.scaler.unscale_(optimizer)
        norm = _finite_or_zero(self._clip())
        self.scaler.step(optimizer)
        self.scaler.update()
        optimizer.zero_grad()
        return norm

    def _accumulate(self, batches: Sequence[Batch], losses: LossSum) -> float | Tensor:
        """Add up the gradients of sums, each over a guess of the denominator; mend it after.

        The guess keeps fp16's gradients in range; the true denominator may be known only after
        the last batch's forward pass.

        Returns:
            The true denominator.
        """
        guess = float(len(batches) * max(batch.denominator or batch.rows or 1 for batch in batches))
        total: float | Tensor = 0.0
        for batch in batches:
            total = total + self._backward(batch, losses, guess)
        if self._learner.accounting.reduction == "sum" or total == 0:
            return total
        factor = guess / total
        for weight in self._learner.weights:
            if weight.grad is not None:
                weight.grad.mul_(factor)
        return total

    def _backward(
        self, batch: Batch, losses: LossSum, guess: float | None = None
    ) -> float | Tensor:
        """Add a batch's gradients, and its loss; its denominator."""
        learner = self._learner
        before = self._copied_buffers()
        with autocast(self._precision, learner.device):
            outputs, targets = learner.forward(learner.model, batch.content)
        outputs = in_float32(outputs)
        loss = learner.loss(outputs, targets)
        denominator = learner.accounting.denominator_of(batch.denominator, outputs, targets)
        losses.add(loss.detach(), denominator)
        if learner.may_be_empty and denominator == 0:
            put_back(learner.model, before)
            return 0.0
        if guess is not None and learner.accounting.reduction == "mean":
            loss = loss * (denominator / guess)
        scaled = loss if self.scaler is None else self.scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        return denominator

    def _copied_buffers(self) -> list[Tensor]:
        """The buffers that the model's pass may change, if that may have to be undone."""
        if not self._learner.may_be_empty:
            return []
        return [buffer.clone() for buffer in self._learner.model.buffers()]

    def _clip(self) -> Tensor | None:
        if self._clip_norm == 0:
            return None
        return nn.utils.clip_grad_norm_(self._learner.weights, self._clip_norm)


def _finite_or_zero(norm: Tensor | None) -> Tensor | None:
    """The norm, 0 where the scaler leaves the step out and tries a smaller scale."""
    return None if norm is None else torch.where(norm.isfinite(), norm, 0.0)


@torch.no_grad()
def put_back(model: nn.Module, buffers: list[Tensor]) -> None:
    """Give the model's buffers the values of earlier copies."""
    for buffer, before in zip(model.buffers(), buffers, strict=True):
        buffer.copy_(before)
