"""Journal records for tests, with a value for every field that a test does not care about."""

from typing import Any

from epochtop.core.events import (
    EpochCompleted,
    Event,
    FinishReason,
    RunFinished,
    RunStarted,
    Stopping,
)
from epochtop.core.run.directory import Run
from epochtop.core.run.journal import JournalWriter


def stopping_state(**fields: Any) -> Stopping:
    state: dict[str, Any] = {
        "best_loss": None,
        "best_epoch": None,
        "epochs_since_best": 0,
        "patience": 10,
        "target": None,
        "lowest_loss": None,
        "lowest_epoch": None,
    }
    return Stopping(**(state | fields))


def improved(epoch: int, loss: float, *, patience: int = 10) -> Stopping:
    """The stopping rule just after an epoch that was the best so far."""
    return stopping_state(
        best_loss=loss,
        best_epoch=epoch,
        patience=patience,
        target=loss,
        lowest_loss=loss,
        lowest_epoch=epoch,
    )


def epoch_record(epoch: int = 1, **fields: Any) -> EpochCompleted:
    """An epoch of a run with ten steps an epoch, a second each."""
    record: dict[str, Any] = {
        "time": 1_000.0 + epoch,
        "epoch": epoch,
        "step": 10 * epoch,
        "train_loss": 1 / epoch,
        "val_loss": 2 / epoch,
        "train_loss_eval": 1 / epoch,
        "penalty": 0.0,
        "lr": 0.01,
        "seconds": 1.0,
        "metrics": {},
        "stopping": improved(epoch, 2 / epoch),
    }
    return EpochCompleted(**(record | fields))


def started_record(*, epochs: int = 200, **fields: Any) -> RunStarted:
    record: dict[str, Any] = {
        "time": 1_000.0,
        "run": "20261123-140501-digits-mlp",
        "settings": {
            "data": {"source": "digits"},
            "model": {"kind": "mlp"},
            "train": {"epochs": epochs},
        },
        "num_train": 1437,
        "num_val": 360,
        "num_features": 64,
        "num_parameters": 8970,
        "baseline_loss": 2.3,
        "device": "cpu",
        "host": "here",
        "pid": 1,
        "process_started": 0.0,
        "versions": {},
        "problem": "classification",
        "classes": [str(digit) for digit in range(10)],
    }
    return RunStarted(**(record | fields))


def task_record(**fields: Any) -> RunStarted:
    """The start of a task's run."""
    record: dict[str, Any] = {
        "settings": {"task": "/home/me/mine.py:build", "train": {"epochs": 200}},
        "num_features": None,
        "problem": "task",
        "classes": [],
    }
    return started_record(**(record | fields))


def finished_record(reason: FinishReason = "completed", **fields: Any) -> RunFinished:
    record: dict[str, Any] = {
        "time": 2_000.0,
        "reason": reason,
        "epoch": 5,
        "best_epoch": 5,
        "best_loss": 0.4,
        "message": "all 5 epochs are done",
    }
    return RunFinished(**(record | fields))


def write_journal(run: Run, *events: Event) -> None:
    """Append records to a run's journal as its engine would."""
    with JournalWriter(run.journal_path) as journal:
        for event in events:
            journal.append(event)
