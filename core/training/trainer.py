"""The training loop: short enough to read in one sitting.

for epoch in 1..epochs:
    take a step on every batch, in this epoch's own order
    measure: validation loss, train loss in evaluation mode, penalty, metrics
    update the stopping rule; keep a copy of the weights when the loss is the lowest yet
    report the epoch
    end if a loss is not finite, the stopping rule says so or somebody asked to stop

Between any two steps somebody may ask for something: see `interrupt`. All that a run needs to go
on from there is in `state`.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..batches.rows import Rows
from ..batches.source import Batch, BatchPlan, Data, Forward, source_of
from ..events import EpochCompleted, Event, FinishReason, LossNotFinite, Warned
from ..loss.accounting import accounting_of
from ..loss.loss_sum import Loss
from ..loss.metrics import Metric
from ..optim.optimizer import build_optimizer, learning_rate
from ..optim.schedule import Schedule
from ..seeds import generators_now, restore_generators, seed_training
from ..settings.consistency import settings_warnings
from ..settings.declaration import Settings
from ..stopping.rules import EarlyStopping, EpochLosses
from .checks import check_batch, check_parts, check_rows, loss_warnings
from .fit_result import FitResult
from .interrupt import BetweenSteps, InterruptedEpochError
from .measure import measure, record_of
from .mode import TrainingMode
from .not_finite import go_back, remember_good_state
from .paired import PairedLosses
from .progress import EpochProgress, Snapshot, copy_weights
from .setting_changes import ChangedBy, apply_setting
from .state import State, capture_state, restore_state
from .step import build_step, learner_of
from .unlearnt import UnlearntShare


class Trainer:
    """Trains a model as the settings say.

    Args:
        model: it is trained in place, on the device that it is on. Layers in evaluation mode
            stay so, unless all of it is: frozen batch normalisation, say.
        loss: the loss of a batch from outputs and targets: a criterion of torch's or any other
            function. Whatever it divides by, the reported losses are true means over the split
            (see `loss.accounting`).
        train: the training rows: a `Split` or a pair of tensors, a `Dataset` or a `DataLoader`.
        val: the validation rows, likewise.
        settings: the sections `optim`, `train` and `stopping` are used.
        metrics: what else to measure on the validation rows, by name: functions of outputs and
            targets, or objects such as torchmetrics'.
        forward: takes the model and a batch, returns outputs and targets; for batches and models
            that the usual forms (see `batch`) do not cover.
        on_event: is given each epoch's record as soon as it is complete, and before it a
            `LossNotFinite` where a loss was no number.
        between_steps: asked between any two steps whether somebody wants the run to end.
        keep_history: whether the result holds every epoch's record.

    Raises:
        EpochtopError: a part is of another kind than it has to be, the loss gives no single
            number, or the data have no rows that count.
    """

    def __init__(  # noqa: PLR0913 - keyword-only: the parts of a training run, each of its own kind
        self,
        model: nn.Module,
        loss: Loss,
        *,
        train: Data,
        val: Data,
        settings: Settings | None = None,
        metrics: Mapping[str, Metric] | None = None,
        forward: Forward | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
        between_steps: BetweenSteps = lambda: None,
        keep_history: bool = True,
    ) -> None:
        self.settings = settings or Settings()
        self.model = model
        self.loss = loss
        self.metrics = metrics or {}
        check_parts(model, train, val, self.metrics)
        self.device = _device_of(model)
        self._training_mode = TrainingMode(model)
        self.accounting = accounting_of(loss)
        plan = BatchPlan(
            batch_size=self.settings.train.batch_size,
            seed=self.settings.train.seed,
            device=self.device,
            forward=forward,
            needs_two_rows=self._training_mode.has_batch_norm,
            warn=self._warn,
        )
        self.train = source_of(train, self.accounting, plan)
        self.val = source_of(val, self.accounting, plan)
        for name, source in (("train", self.train), ("val", self.val)):
            self.output_shape = check_rows(name, source, model, loss, self.device)
        self.train_sample = self.train.sample(self.val.num_rows, self.settings.train.seed)
        self.optimizer = build_optimizer(self.settings.optim, model)
        self.schedule = Schedule(
            self.settings.optim,
            self.optimizer,
            epochs=self.settings.train.epochs,
            steps_per_epoch=self._steps_per_epoch(),
        )
        self.rule = EarlyStopping(self.settings.stopping)
        self.rule_state = self.rule.start()
        self.on_event = on_event
        self.between_steps = between_steps
        self.take_step = build_step(learner_of(self), self._warn)
        self.epoch = 0
        self.step = 0
        self.progress = EpochProgress()
        self.best: Snapshot | None = None
        self.paired = PairedLosses(loss, self.accounting)
        self.unlearnt = UnlearntShare(loss, self.accounting)
        self.not_finite: LossNotFinite | None = None
        self.times_gone_back = 0
        self.paused_seconds = 0.0
        self._epoch_started = time.perf_counter()
        self.history: list[EpochCompleted] = []
        self._keep_history = keep_history
        self.good_state: State | None = None
        self._has_tried_a_batch = isinstance(self.train, Rows)

    def fit(self) -> FitResult:
        """Train until the last epoch, early stopping or an interrupt; then restore the best."""
        reason, message = self.run()
        if self.settings.stopping.restore_best:
            self.restore_best()
        return FitResult(
            reason=reason,
            message=message,
            epoch=self.epoch,
            best_epoch=self.rule_state.stopping.lowest_epoch,
            best_loss=self.rule_state.stopping.lowest_loss,
            model=self.model,
            history=tuple(self.history),
        )

    def run(self) -> tuple[FinishReason, str]:
        """Train, and leave the last epoch's weights in the model; say why training ended."""
        try:
            return self._run_epochs()
        finally:
            self.train.close()
            self.val.close()

    def _run_epochs(self) -> tuple[FinishReason, str]:
        self.model.zero_grad()  # of what was tried out with the model before
        for message in (*settings_warnings(self.settings), *loss_warnings(self.loss)):
            self._warn(message)
        if self.good_state is None:
            remember_good_state(self)
        while (end := self.why_done() or self._why_interrupted()) is None:
            try:
                self._complete(self.run_epoch())
            except InterruptedEpochError as error:
                if self.progress.batches and self.progress.random is None:
                    self.progress.random = generators_now(self.device)
                return error.interrupt.reason, error.interrupt.message
            if self.not_finite is not None:
                go_back(self)
        return end

    def why_done(self) -> tuple[FinishReason, str] | None:
        """Why there is no other epoch to train, None when there is."""
        if bad := self.not_finite:
            return "not_finite", f"the {bad.which} loss was {bad.value} at step {bad.step}"
        if why := self.rule.why_stop(self.rule_state):
            return "early_stopped", why
        if self.epoch >= self.settings.train.epochs:
            return "completed", f"all {self.settings.train.epochs} epochs are done"
        return None

    def run_epoch(self) -> EpochCompleted:
        """Train what is left of the next epoch, measure, and update the stopping rule.

        Raises:
            InterruptedEpochError: somebody asked to stop at the next step.
        """
        epoch = self.epoch + 1
        self._epoch_started, self.paused_seconds = time.perf_counter(), 0.0
        if self.progress.lr is None:
            self.progress.lr = learning_rate(self.optimizer)
        self.train_epoch(epoch)
        measured = measure(self, epoch)
        losses = EpochLosses(epoch, measured.train_loss, measured.val_loss)
        self.rule_state = self.rule.update(self.rule_state, losses)
        self.schedule.after_epoch(measured.val_loss)
        return record_of(self, epoch, measured, self.progress.lr)

    def train_epoch(self, epoch: int) -> None:
        """Take a step on every batch that is left of an epoch."""
        self._training_mode.set()
        seed_training(seed=self.settings.train.seed, epoch=epoch, device=self.device)
        if self.progress.random is not None:  # it knows nothing of another kind of device
            restore_generators(self.progress.random, self.device)
            self.progress.random = None
        seen, accumulate = self.progress.batches, self.settings.optim.accumulate
        batches: list[Batch] = []
        source = self.train.epoch(epoch, skip=seen, on_skip=self.ask)
        for batch in source if self._has_tried_a_batch else self._with_a_trial(source):
            if not batches:
                self.ask()
            seen += 1
            if batch.denominator != 0:  # nothing in it counts: it must not move a weight either
                batches.append(batch)
            if batches and seen % accumulate == 0:
                self.train_step(batches, seen)
                batches = []
        if batches:
            self.train_step(batches, seen)

    def _with_a_trial(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches, of which the first one shows whether model and loss take what is loaded."""
        for batch in batches:
            if not self._has_tried_a_batch:
                self._has_tried_a_batch = True
                check_batch(self.train, batch.content, self.model, self.loss, self.device)
            yield batch

    def train_step(self, batches: Sequence[Batch], seen: int) -> None:
        """Learn from the batches of one optimiser step.

        Args:
            batches: usually one.
            seen: the epoch's batches up to these.
        """
        norm = self.take_step(batches, self.progress.losses)
        self.step += 1
        self.progress.batches = seen
        self.progress.counted_by_step.append(len(self.progress.losses))
        if norm is not None:
            largest = self.progress.grad_norm
            self.progress.grad_norm = norm if largest is None else torch.maximum(largest, norm)
        if self.schedule.acts_on_steps:
            self.schedule.after_step()

    def change(self, setting: str, value: Any, by: ChangedBy) -> None:
        """Give a setting another value from the next step on; say so, and what to mind."""
        before = settings_warnings(self.settings)
        self.on_event(apply_setting(self, setting, value, by))
        for message in settings_warnings(self.settings):
            if message not in before:
                self._warn(message)

    def seconds_of_epoch(self) -> float:
        """The time spent on the running epoch, without pauses."""
        spent = time.perf_counter() - self._epoch_started - self.paused_seconds
        return self.progress.seconds + spent

    def state(self) -> State:
        """All that training needs to go on from here, in plain types; tensors are not copied."""
        return capture_state(self)

    def load_state(self, state: State) -> None:
        """Go on from a state, with the present settings where they differ from the state's."""
        restore_state(self, state)

    def restore_best(self) -> None:
        """Put the weights of the epoch with the lowest validation loss back into the model."""
        if self.best is not None:
            self.model.load_state_dict(self.best.weights)

    def _complete(self, record: EpochCompleted) -> None:
        """Count the epoch, keep its weights if they are the best, and only then report it."""
        self.epoch = record.epoch
        self.progress = EpochProgress()
        is_best = record.stopping.lowest_epoch == record.epoch
        if is_best and record.val_loss is not None:
            self.best = Snapshot(self.epoch, self.step, record.val_loss, copy_weights(self.model))
        self.paired.keep(record.epoch, is_best=is_best)
        if self._keep_history:
            self.history.append(record)
        if self.not_finite is None:
            remember_good_state(self)
        self.on_event(record)

    def _why_interrupted(self) -> tuple[FinishReason, str] | None:
        interrupt = self.between_steps()
        return None if interrupt is None else (interrupt.reason, interrupt.message)

    def ask(self) -> None:
        """Ask whether somebody wants the run to end at once.

        Raises:
            InterruptedEpochError: so it is.
        """
        if (interrupt := self.between_steps()) and interrupt.when == "now":
            raise InterruptedEpochError(interrupt)

    def _steps_per_epoch(self) -> int | None:
        batches = self.train.num_batches
        return None if batches is None else math.ceil(batches / self.settings.optim.accumulate)

    def _warn(self, message: str) -> None:
        self.on_event(Warned(message=message))


def _device_of(model: nn.Module) -> torch.device:
    weight = next(model.parameters(), None)
    return torch.device("cpu") if weight is None else weight.device
