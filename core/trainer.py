"""The training loop: short enough to read in one sitting.

for epoch in 1..epochs:
    train on every batch, in this epoch's own order
    measure: validation loss, train loss in evaluation mode, penalty, metrics
    update the stopping rule; keep a copy of the weights when the loss is the lowest yet
    report the epoch
    end if the loss is not finite, patience is exhausted or somebody asked to stop
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn

from .data.dataset import Split
from .events import EpochCompleted, Event, FinishReason, LossNotFinite
from .interrupt import Interrupt
from .loss import Loss, batch_losses, evaluate, weighted_mean
from .metrics import Metric
from .optim import build_optimizer, build_schedule, learning_rate, weight_penalty
from .seeds import epoch_order, seed_dropout
from .settings import Settings
from .stopping import Patience

Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Snapshot:
    """A copy of the model's weights after an epoch, on the model's device."""

    epoch: int
    step: int
    val_loss: float
    weights: Weights


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


class InterruptedEpochError(Exception):
    """Somebody asked to stop at the next step; the epoch does not count."""

    def __init__(self, interrupt: Interrupt) -> None:
        super().__init__(interrupt.message)
        self.interrupt = interrupt


class Trainer:
    """Trains a model on in-memory data, as the settings say.

    Args:
        model: takes a batch of inputs, returns outputs for `loss`. It is trained in place, on
            the device that it and the data are on.
        loss: the mean loss of a batch, from outputs and targets.
        train: the training rows.
        val: the validation rows.
        settings: the sections `optim`, `train` and `stopping` are used.
        metrics: what else to measure on the validation rows, by name.
        on_event: is given each epoch's record as soon as it is complete, and before it a
            `LossNotFinite` where a loss was no number.
        interrupt: asked before each step whether somebody wants the run to end.
        keep_history: whether the result holds every epoch's record.
    """

    def __init__(  # noqa: PLR0913 - keyword-only: the parts of a training run, each of its own kind
        self,
        model: nn.Module,
        loss: Loss,
        *,
        train: Split,
        val: Split,
        settings: Settings | None = None,
        metrics: dict[str, Metric] | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
        interrupt: Callable[[], Interrupt | None] = lambda: None,
        keep_history: bool = True,
    ) -> None:
        settings = settings or Settings()
        self.model = model
        self.loss = loss
        self.train = train
        self.val = val
        self.settings = settings
        self.metrics = metrics or {}
        self.optimizer = build_optimizer(settings.optim, model)
        self.schedule = build_schedule(settings.optim, self.optimizer, epochs=settings.train.epochs)
        self.rule = Patience(settings.stopping.patience, settings.stopping.min_delta)
        self.stopping = self.rule.start()
        self.epoch = 0
        self.step = 0
        self.step_of_epoch = 0
        self.best: Snapshot | None = None
        self.not_finite: LossNotFinite | None = None
        self.history: list[EpochCompleted] = []
        self._train_sample = _fixed_sample(train, len(val), settings.train.seed)
        self._on_event = on_event
        self._interrupt = interrupt
        self._keep_history = keep_history

    def fit(self) -> FitResult:
        """Train until the last epoch, early stopping or an interrupt; then restore the best."""
        reason, message = self.run()
        if self.settings.stopping.restore_best:
            self.restore_best()
        return FitResult(
            reason=reason,
            message=message,
            epoch=self.epoch,
            best_epoch=self.stopping.lowest_epoch,
            best_loss=self.stopping.lowest_loss,
            model=self.model,
            history=tuple(self.history),
        )

    def run(self) -> tuple[FinishReason, str]:
        """Train, and leave the last epoch's weights in the model; say why training ended."""
        while self.epoch < self.settings.train.epochs:
            try:
                self._complete(self.run_epoch(self.epoch + 1))
            except InterruptedEpochError as error:
                return error.interrupt.reason, error.interrupt.message
            if bad := self.not_finite:
                return "not_finite", f"the {bad.which} loss was {bad.value} at step {bad.step}"
            if self.rule.is_exhausted(self.stopping):
                return "early_stopped", self._why_stopped()
            if interrupt := self._interrupt():
                return interrupt.reason, interrupt.message
        return "completed", f"all {self.settings.train.epochs} epochs are done"

    def restore_best(self) -> None:
        """Put the weights of the epoch with the lowest validation loss back into the model."""
        if self.best is not None:
            self.model.load_state_dict(self.best.weights)

    def run_epoch(self, epoch: int) -> EpochCompleted:
        """Train one epoch, measure, and update the stopping rule.

        Raises:
            InterruptedEpochError: somebody asked to stop at the next step.
        """
        started = time.perf_counter()
        lr = learning_rate(self.optimizer)
        train_loss = self.train_epoch(epoch)
        train_loss_eval, _ = evaluate(self.model, self.loss, self._train_sample)
        val_loss, outputs = evaluate(self.model, self.loss, self.val)
        self._look_for_not_finite("val", [val_loss], epoch, self.step)
        if self.schedule is not None:
            self.schedule.step()
        self.stopping = self.rule.update(self.stopping, epoch, val_loss)
        return EpochCompleted(
            epoch=epoch,
            step=self.step,
            train_loss=_finite(train_loss),
            val_loss=_finite(val_loss),
            train_loss_eval=_finite(train_loss_eval),
            penalty=weight_penalty(self.settings.optim, self.model.parameters()),
            lr=lr,
            seconds=time.perf_counter() - started,
            metrics={
                name: _finite(metric(outputs, self.val.targets))
                for name, metric in self.metrics.items()
            },
            stopping=self.stopping,
        )

    def train_epoch(self, epoch: int) -> float:
        """Take a step on every batch; the mean loss over the rows, measured on the way."""
        self.model.train()
        seed_dropout(seed=self.settings.train.seed, epoch=epoch)
        order = epoch_order(len(self.train), seed=self.settings.train.seed, epoch=epoch)
        order = order.to(self.train.inputs.device)
        inputs = torch.split(self.train.inputs[order], self.settings.train.batch_size)
        targets = torch.split(self.train.targets[order], self.settings.train.batch_size)
        first_step = self.step + 1
        losses: list[torch.Tensor] = []
        for batch in zip(inputs, targets, strict=True):
            self._stop_if_asked_to_stop_now()
            losses.append(self.train_step(*batch))
        values = batch_losses(losses)
        self._look_for_not_finite("train", values, epoch, first_step)
        return weighted_mean(values, [len(batch) for batch in targets])

    def train_step(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Learn from one batch; its mean loss before the step, left on the device."""
        self.optimizer.zero_grad()
        loss = self.loss(self.model(inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.optimizer.step()
        self.step += 1
        return loss.detach()

    def _complete(self, record: EpochCompleted) -> None:
        """Count the epoch, keep its weights if they are the best, and only then report it."""
        self.epoch = record.epoch
        self.step_of_epoch = record.step
        if self.stopping.lowest_epoch == record.epoch and record.val_loss is not None:
            self.best = self.snapshot(record.val_loss)
        if self._keep_history:
            self.history.append(record)
        self._on_event(record)

    def snapshot(self, val_loss: float) -> Snapshot:
        """Copy the model's weights as they are now."""
        weights = {
            name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()
        }
        return Snapshot(self.epoch, self.step, val_loss, weights)

    def _stop_if_asked_to_stop_now(self) -> None:
        if (interrupt := self._interrupt()) and interrupt.when == "now":
            raise InterruptedEpochError(interrupt)

    def _look_for_not_finite(
        self, which: Literal["train", "val"], losses: list[float], epoch: int, first_step: int
    ) -> None:
        """Report the first loss that is not a finite number, once an epoch and split."""
        for step, loss in enumerate(losses, first_step):
            if not math.isfinite(loss):
                record = LossNotFinite(epoch=epoch, step=step, which=which, value=_spell(loss))
                self.not_finite = self.not_finite or record
                self._on_event(record)
                return

    def _why_stopped(self) -> str:
        state, min_delta = self.stopping, self.rule.min_delta
        if state.best_loss is None or state.target is None:
            return f"{state.epochs_since_best} epochs in a row without a finite validation loss"
        less = f" less min_delta {min_delta:g}" if min_delta else ""
        return (
            f"{state.epochs_since_best} epochs in a row without a validation loss below "
            f"{state.target:.6g}, the best of epoch {state.best_epoch}{less}"
        )


def _fixed_sample(train: Split, rows: int, seed: int) -> Split:
    """As many training rows as there are validation rows, always the same; or all."""
    if len(train) <= rows:
        return train
    chosen = epoch_order(len(train), seed=seed, epoch=0)[:rows].to(train.inputs.device)
    return Split(train.inputs[chosen], train.targets[chosen])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _spell(value: float) -> Literal["nan", "inf", "-inf"]:
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"
