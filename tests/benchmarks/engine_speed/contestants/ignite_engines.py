"""ignite's supervised trainer and evaluator with its early stopping."""

import copy
import math

import torch
from ignite.engine import (
    Engine,
    Events,
    create_supervised_evaluator,
    create_supervised_trainer,
)
from ignite.handlers import EarlyStopping
from ignite.metrics import Loss
from torch import nn

from ..batches import train_batches, val_batches
from ..epochs import EpochLog
from ..problem import Workload


class _TrainLoss:
    """The mean over an epoch's rows; ignite's own averages take each batch for one value."""

    def __init__(self) -> None:
        self.total, self.rows = 0.0, 0

    def add(self, trainer: Engine) -> None:
        self.total += trainer.state.output * len(trainer.state.batch[1])
        self.rows += len(trainer.state.batch[1])

    def take(self) -> float:
        mean = self.total / self.rows
        self.total, self.rows = 0.0, 0
        return mean


class _Best:
    """The best epoch's weights; ignite's own way to keep them is a file each."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.loss, self.weights = model, math.inf, model.state_dict()

    def keep(self, evaluator: Engine) -> None:
        if (loss := evaluator.state.metrics["loss"]) < self.loss:
            self.loss, self.weights = loss, copy.deepcopy(self.model.state_dict())


def train(workload: Workload, log: EpochLog) -> None:
    """Train with a pair of engines."""
    settings, model = workload.settings, workload.model
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.optim.lr)
    trainer = create_supervised_trainer(model, optimizer, loss_function, workload.device)
    evaluator = create_supervised_evaluator(
        model, metrics={"loss": Loss(loss_function)}, device=workload.device
    )
    train_loss, best, val_loader = _TrainLoss(), _Best(model), val_batches(workload)
    stopping = EarlyStopping(
        patience=settings.stopping.patience,
        score_function=lambda engine: -engine.state.metrics["loss"],
        trainer=trainer,
    )

    def validate() -> None:
        evaluator.run(val_loader)
        log.end_epoch(train_loss.take(), evaluator.state.metrics["loss"])

    trainer.add_event_handler(Events.ITERATION_COMPLETED, train_loss.add)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, validate)
    evaluator.add_event_handler(Events.COMPLETED, best.keep)
    evaluator.add_event_handler(Events.COMPLETED, stopping)
    trainer.run(train_batches(workload), max_epochs=settings.train.epochs)
    model.load_state_dict(best.weights)
