"""Lightning's Trainer, with early stopping and the best epoch's checkpoint."""

import tempfile
import warnings

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from torch import nn

from ..batches import train_batches, val_batches
from ..epochs import EpochLog
from ..problem import Workload

Batch = tuple[torch.Tensor, torch.Tensor]


class _Classifier(lightning.LightningModule):
    def __init__(self, model: nn.Module, lr: float) -> None:
        super().__init__()
        self._model = model
        self._loss = nn.CrossEntropyLoss()
        self._lr = lr

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        return self._batch_loss("train_loss", batch)

    def validation_step(self, batch: Batch, _: int) -> None:
        self._batch_loss("val_loss", batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self._model.parameters(), lr=self._lr)

    def _batch_loss(self, name: str, batch: Batch) -> torch.Tensor:
        inputs, targets = batch
        loss: torch.Tensor = self._loss(self._model(inputs), targets)
        self.log(name, loss, on_step=False, on_epoch=True, batch_size=len(targets))
        return loss


class _Report(Callback):
    def __init__(self, log: EpochLog) -> None:
        self._log = log

    def on_train_epoch_end(self, trainer: lightning.Trainer, _: lightning.LightningModule) -> None:
        metrics = trainer.callback_metrics
        self._log.end_epoch(float(metrics["train_loss"]), float(metrics["val_loss"]))


def train(workload: Workload, log: EpochLog) -> None:
    """Train with `Trainer.fit`."""
    settings, device = workload.settings, workload.device
    warnings.filterwarnings("ignore", module="lightning")  # that more workers would be faster
    with tempfile.TemporaryDirectory() as directory:
        callbacks = [
            EarlyStopping("val_loss", patience=settings.stopping.patience),
            ModelCheckpoint(directory, monitor="val_loss"),
            _Report(log),
        ]
        trainer = lightning.Trainer(
            accelerator="cpu" if device.type == "cpu" else "gpu",
            devices=1 if device.type == "cpu" else [device.index or 0],
            max_epochs=settings.train.epochs,
            callbacks=callbacks,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        model = _Classifier(workload.model, settings.optim.lr)
        trainer.fit(model, train_batches(workload), val_batches(workload))
