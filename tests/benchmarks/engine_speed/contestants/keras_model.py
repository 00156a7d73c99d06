"""Keras' Model.fit, its backend torch."""

import os
from collections.abc import Mapping

os.environ["KERAS_BACKEND"] = "torch"

import keras
from torch import nn

from ..batches import EpochOrder, train_batches, val_batches
from ..epochs import EpochLog
from ..problem import Workload


class _Report(keras.callbacks.Callback):
    def __init__(self, log: EpochLog) -> None:
        super().__init__()
        self._log = log

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        del epoch
        assert logs is not None
        self._log.end_epoch(logs["loss"], logs["val_loss"])


class _Order(keras.callbacks.Callback):
    """Keras looks into the loader once before it trains, which is no epoch."""

    def __init__(self, order: EpochOrder) -> None:
        super().__init__()
        self._order = order

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        del logs
        self._order.next_epoch = epoch + 1


def train(workload: Workload, log: EpochLog) -> None:
    """Train with `Model.fit`."""
    settings = workload.settings
    order = EpochOrder(len(workload.train), settings.train.seed)
    model = _same_model(workload.model, workload.train.inputs.shape[1])
    model.compile(
        optimizer=keras.optimizers.Adam(settings.optim.lr, epsilon=1e-8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=settings.stopping.patience, restore_best_weights=True
    )
    model.fit(
        train_batches(workload, order),
        validation_data=val_batches(workload),
        epochs=settings.train.epochs,
        callbacks=[stopping, _Order(order), _Report(log)],
        verbose=0,
    )


def _same_model(model: nn.Module, num_features: int) -> keras.Model:
    """Keras' layers with the weights of torch's."""
    linear = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    dense = [keras.layers.Dense(layer.out_features, activation="relu") for layer in linear[:-1]]
    dense.append(keras.layers.Dense(linear[-1].out_features))
    same = keras.Sequential([keras.Input((num_features,)), *dense])
    for layer, weights in zip(dense, linear, strict=True):
        layer.set_weights([weights.weight.detach().numpy().T, weights.bias.detach().numpy()])
    return same
