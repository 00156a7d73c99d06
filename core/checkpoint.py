"""Checkpoints: written atomically, of plain tensors and plain types only.

Writing a file takes longer than a small epoch, so the trainer copies the weights of a new best
in memory and the files follow at a bounded share of the time, and always at the end.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch

from .events import CheckpointSaved, Event, Warned
from .run import Run
from .settings_file import settings_to_toml
from .trainer import Snapshot, Trainer, Weights

FORMAT = 1
# A file is written only after this many times the last write's seconds: 2 % of the time.
_SECONDS_PER_WRITE_SECOND = 50.0
_FIRST_WRITE_AFTER = 1.0

Kind = Literal["best", "last"]


class Checkpoints:
    """Writes `best.pt` and `last.pt` of a run from what its trainer holds in memory."""

    def __init__(self, run: Run, trainer: Trainer, on_event: Callable[[Event], None]) -> None:
        self._run = run
        self._trainer = trainer
        self._on_event = on_event
        self._best_epoch_on_disk: int | None = None
        self._next_write = time.monotonic() + _FIRST_WRITE_AFTER

    def write_if_due(self) -> None:
        """Write a new best, unless the last write was too short a time ago."""
        if time.monotonic() >= self._next_write:
            started = time.monotonic()
            self._write_best()
            spent = time.monotonic() - started
            self._next_write = time.monotonic() + spent * _SECONDS_PER_WRITE_SECOND

    def write_at_end(self) -> None:
        """Write the best and the last weights, whatever the time."""
        self._write_best()
        if self._trainer.step > 0:
            self._write("last", self._trainer.epoch, self._content_of_last)

    def _write_best(self) -> None:
        best = self._trainer.best
        if best is None or best.epoch == self._best_epoch_on_disk:
            return
        if self._write("best", best.epoch, lambda: self._content_of_best(best)):
            self._best_epoch_on_disk = best.epoch

    def _content_of_best(self, best: Snapshot) -> dict[str, Any]:
        return self._content(best.epoch, best.step, best.val_loss, best.weights)

    def _content_of_last(self) -> dict[str, Any]:
        trainer = self._trainer
        content = self._content(trainer.epoch, trainer.step, None, trainer.model.state_dict())
        return {
            **content,
            # a run that was stopped within an epoch has gone so many steps beyond `epoch`
            "steps_into_next_epoch": trainer.step - trainer.step_of_epoch,
            "optimizer": trainer.optimizer.state_dict(),
        }

    def _content(
        self, epoch: int, step: int, val_loss: float | None, weights: Weights
    ) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "run": self._run.name,
            "epoch": epoch,
            "step": step,
            "val_loss": val_loss,
            "settings": settings_to_toml(self._trainer.settings),
            "model": {name: weight.detach().cpu() for name, weight in weights.items()},
        }

    def _write(self, kind: Kind, epoch: int, content: Callable[[], dict[str, Any]]) -> bool:
        """Save a checkpoint and say so; a disk that refuses is a warning, not the run's end."""
        path = self._run.path / f"{kind}.pt"
        started = time.perf_counter()
        try:
            save_atomically(content(), path)
        except (OSError, RuntimeError) as error:  # torch turns a full disk into a RuntimeError
            self._on_event(Warned(message=f"{path.name} was not saved: {error}"))
            return False
        self._on_event(
            CheckpointSaved(
                kind=kind,
                epoch=epoch,
                path=path.name,
                bytes=path.stat().st_size,
                seconds=time.perf_counter() - started,
            )
        )
        return True


def save_atomically(content: dict[str, Any], path: Path) -> None:
    """Write a checkpoint so that `path` holds the old one or the whole new one at any moment.

    Raises:
        OSError, RuntimeError: the disk is full or cannot be written; the old file stays.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, without ever running code that it may carry.

    Its `model` is a state dict, `epoch` and `step` say when it was taken, `settings` is TOML.
    """
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return content


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
