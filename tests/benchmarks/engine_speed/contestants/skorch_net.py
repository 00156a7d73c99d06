"""skorch's NeuralNet with its default callbacks and early stopping."""

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import TensorDataset

from ..batches import EpochOrder
from ..epochs import EpochLog
from ..problem import Workload


class _Report(Callback):
    def __init__(self, log: EpochLog) -> None:
        self._log = log

    def on_epoch_end(self, net: NeuralNet, **_: object) -> None:
        last = net.history[-1]
        self._log.end_epoch(last["train_loss"], last["valid_loss"])


def train(workload: Workload, log: EpochLog) -> None:
    """Train with `NeuralNet.fit`."""
    settings = workload.settings
    rows = TensorDataset(workload.train.inputs, workload.train.targets)
    val_rows = TensorDataset(workload.val.inputs, workload.val.targets)
    stopping = EarlyStopping(patience=settings.stopping.patience, load_best=True)
    net = NeuralNet(
        workload.model,
        nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=settings.optim.lr,
        device=str(workload.device),
        max_epochs=settings.train.epochs,
        batch_size=settings.train.batch_size,
        iterator_train__sampler=EpochOrder(len(rows), settings.train.seed),
        train_split=predefined_split(val_rows),
        callbacks=[("stopping", stopping), ("report", _Report(log))],
        verbose=0,
    )
    net.fit(rows, y=None)
