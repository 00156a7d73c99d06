"""All that a training needs to go on as if it had never been interrupted.

The order of rows, and what loading and dropout draw, follow from the seed and the epoch. What
else moves is here: weights and buffers, the optimiser's, the schedule's and the scaler's state,
the stopping rule's, the best weights, and within an epoch the losses so far and where the random
generators stand.
"""

from typing import TYPE_CHECKING, Any

import msgspec
import torch

from ..loss.loss_sum import LossSum, read_from_device
from ..optim.optimizer import load_optimizer
from ..seeds import generators_now
from ..settings.declaration import Settings
from ..stopping.rules import EarlyStopping, RuleState
from .progress import EpochProgress, Snapshot, weights_on
from .setting_changes import apply_setting, live_fields

if TYPE_CHECKING:
    from .trainer import Trainer

State = dict[str, Any]


def capture_state(trainer: "Trainer") -> State:
    """The state of a trainer between two steps: plain types and the very tensors it works on."""
    scaler, progress, best = trainer.take_step.scaler, trainer.progress, trainer.best
    read_from_device(progress.losses)
    within_epoch = progress.batches > 0
    return {
        "settings": msgspec.to_builtins(trainer.settings),
        "epoch": trainer.epoch,
        "step": trainer.step,
        "times_gone_back": trainer.times_gone_back,
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "schedule": trainer.schedule.state_dict(),
        "scaler": None if scaler is None else scaler.state_dict(),
        "rule": msgspec.to_builtins(trainer.rule_state),
        "best": None
        if best is None
        else {
            "epoch": best.epoch,
            "step": best.step,
            "val_loss": best.val_loss,
            "model": best.weights,
            "row_losses": trainer.paired.best,
        },
        "progress": {
            "batches": progress.batches,
            "losses": torch.tensor(progress.losses.losses, dtype=torch.float64),
            "denominators": torch.tensor(progress.losses.denominators, dtype=torch.float64),
            "counted_by_step": torch.tensor(progress.counted_by_step, dtype=torch.int64),
            "lr": progress.lr,
            "grad_norm": progress.grad_norm,
            "seconds": trainer.seconds_of_epoch() if within_epoch else 0.0,
            "random": progress.random or (generators_now(trainer.device) if within_epoch else None),
        },
        "row_losses_by_epoch": trainer.paired.references,
        "good": trainer.good_state if within_epoch else None,
    }


def restore_state(trainer: "Trainer", state: State) -> None:
    """Put a trainer where another one was, and apply its own settings where they differ."""
    wanted = trainer.settings
    trainer.settings = _with_live_settings_of(wanted, state["settings"])
    trainer.epoch, trainer.step = state["epoch"], state["step"]
    trainer.times_gone_back = state["times_gone_back"]
    trainer.model.load_state_dict(state["model"])
    load_optimizer(trainer.optimizer, state["optimizer"])
    trainer.schedule.load_state_dict(state["schedule"])
    if trainer.take_step.scaler is not None and state["scaler"] is not None:
        trainer.take_step.scaler.load_state_dict(state["scaler"])
    trainer.rule_state = msgspec.convert(state["rule"], RuleState)
    best = state["best"]
    trainer.best = best and Snapshot(
        best["epoch"],
        best["step"],
        best["val_loss"],
        weights_on(trainer.device, best["model"]),
    )
    row_losses = best and best.get("row_losses")
    trainer.paired.best = None if row_losses is None else row_losses.to(trainer.device)
    trainer.paired.references = {
        epoch: rows.to(trainer.device)
        for epoch, rows in state.get("row_losses_by_epoch", {}).items()
    }
    trainer.progress = _restored_progress(trainer, state["progress"])
    trainer.good_state = state["good"]
    trainer.rule = EarlyStopping(trainer.settings.stopping)
    for field in live_fields():
        if field.value(wanted) != field.value(trainer.settings):
            apply_setting(trainer, field.path, field.value(wanted), "resume")


def _with_live_settings_of(settings: Settings, earlier: Any) -> Settings:
    """The settings, with the live ones as they were when a state was captured."""
    then = msgspec.convert(earlier, Settings)
    for field in live_fields():
        settings = field.replaced(settings, field.value(then))
    return settings


def _restored_progress(trainer: "Trainer", state: State) -> EpochProgress:
    norm = state["grad_norm"]
    return EpochProgress(
        batches=state["batches"],
        losses=LossSum(state["losses"].tolist(), state["denominators"].tolist()),
        counted_by_step=state["counted_by_step"].tolist(),
        lr=state["lr"],
        grad_norm=None if norm is None else norm.to(trainer.device),
        seconds=state["seconds"],
        random=state["random"],
    )
