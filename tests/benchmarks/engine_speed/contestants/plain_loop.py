"""The loop that people write themselves."""

import copy
import math
from functools import partial

import torch
from torch import nn

from ..batches import Pairs, batches_on, train_batches, val_batches
from ..epochs import EpochLog
from ..problem import Workload


def train(workload: Workload, log: EpochLog, *, fused: bool | None = None) -> None:
    """Train with early stopping, on torch alone; `fused` is Adam's own option."""
    settings, model = workload.settings, workload.model
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.optim.lr, fused=fused)
    train_loader, val_loader = train_batches(workload), val_batches(workload)
    on_device = partial(batches_on, workload.device)
    best_loss, best_weights, epochs_since_best = math.inf, model.state_dict(), 0
    for _ in range(settings.train.epochs):
        train_loss = _train_epoch(model, loss_function, optimizer, on_device(train_loader))
        val_loss = _evaluate(model, loss_function, on_device(val_loader))
        if val_loss < best_loss:
            best_loss, epochs_since_best = val_loss, 0
            best_weights = copy.deepcopy(model.state_dict())
        else:
            epochs_since_best += 1
        log.end_epoch(train_loss, val_loss)
        if epochs_since_best >= settings.stopping.patience:
            break
    model.load_state_dict(best_weights)


def _train_epoch(
    model: nn.Module, loss_function: nn.Module, optimizer: torch.optim.Optimizer, batches: Pairs
) -> float:
    model.train()
    total, rows = 0.0, 0
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss = loss_function(model(inputs), targets)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(targets)
        rows += len(targets)
    return total / rows


def _evaluate(model: nn.Module, loss_function: nn.Module, batches: Pairs) -> float:
    model.eval()
    total, rows = 0.0, 0
    with torch.no_grad():
        for inputs, targets in batches:
            total += loss_function(model(inputs), targets).item() * len(targets)
            rows += len(targets)
    return total / rows
