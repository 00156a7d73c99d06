"""When the checkpoints of a run are written, what is in them, and how a run goes on from them.

Writing a file takes longer than a small epoch, so the trainer copies the weights of a new best
in memory and the files follow at a bounded share of the time: within an epoch when epochs are
long, and always at the end, on a signal and on request.

`best.pt` holds the best weights. `last.pt` holds everything that training needs to go on, the
best weights included; the one before it is kept as `last.previous.pt`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from ..errors import CheckpointError
from ..events import CheckpointSaved, Event, SavedBy, Warned
from ..run.directory import Run
from ..settings.toml_file import settings_to_toml
from ..training.progress import Weights
from ..training.state import State
from ..training.trainer import Trainer
from .file import FORMAT, load_checkpoint, not_finite, on_cpu, save_atomically

# The files are written only after this many times the last writing's seconds: 2 % of the time.
_SECONDS_PER_WRITING_SECOND = 50.0
_FIRST_WRITING_AFTER = 1.0

Kind = Literal["best", "last"]


class Checkpoints:
    """Writes `best.pt` and `last.pt` of a run from what its trainer holds in memory.

    Args:
        run: whose they are.
        trainer: what is saved.
        on_event: is told of each file, and of each that could not be written.
        best: the content of `best.pt`, of a run that is resumed.
    """

    def __init__(
        self,
        run: Run,
        trainer: Trainer,
        on_event: Callable[[Event], None],
        best: dict[str, Any] | None = None,
    ) -> None:
        self._run = run
        self._trainer = trainer
        self._on_event = on_event
        self._best_on_disk: tuple[int, float] | None = None
        if best is not None:
            self._best_on_disk = best["epoch"], best["val_loss"]
        self._last_on_disk: object = None
        self._has_warned = False
        self._next_writing = time.monotonic() + _FIRST_WRITING_AFTER

    def write_if_due(self) -> None:
        """Write both, unless the last time was too short a time ago."""
        if time.monotonic() >= self._next_writing:
            self.write_now()

    def write_now(self, by: SavedBy = "time") -> None:
        """Write both, whatever the time."""
        started = time.monotonic()
        self._write_best(by)
        self._write_last(by)
        spent = time.monotonic() - started
        self._next_writing = time.monotonic() + spent * _SECONDS_PER_WRITING_SECOND

    def write_at_end(self) -> None:
        """Write what has changed since the last time."""
        self._write_best("end")
        if self._position() != self._last_on_disk:
            self._write_last("end")

    def _position(self) -> object:
        """Where the trainer is; the same for two moments only if its whole state is."""
        trainer = self._trainer
        return trainer.epoch, trainer.step, trainer.times_gone_back, trainer.settings

    def _write_best(self, by: SavedBy) -> None:
        best = self._trainer.best
        if best is None or (best.epoch, best.val_loss) == self._best_on_disk:
            return
        content = self._content(best.epoch, best.step, best.val_loss, best.weights)
        # a resumed run has not come again to where it was: what was better there must not go
        is_worse = self._best_on_disk is not None and self._best_on_disk[1] < best.val_loss
        if self._write("best", best.epoch, content, keeps=is_worse, by=by):
            self._best_on_disk = best.epoch, best.val_loss

    def _write_last(self, by: SavedBy) -> None:
        trainer = self._trainer
        if trainer.step == 0:
            return
        state = trainer.state()
        content = self._content(trainer.epoch, trainer.step, None, state.pop("model"))
        content |= {"state": state}
        if self._write("last", trainer.epoch, content, keeps=True, by=by):
            self._last_on_disk = self._position()

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
            "model": weights,
        }

    def _write(
        self, kind: Kind, epoch: int, content: dict[str, Any], *, keeps: bool, by: SavedBy
    ) -> bool:
        """Save a checkpoint and say so; a disk that refuses is a warning, not the run's end."""
        path = self._run.path / f"{kind}.pt"
        keep = self._run.path / f"{kind}.previous.pt" if keeps else None
        started = time.perf_counter()
        try:
            self._require_finite(content["model"])
            save_atomically(on_cpu(content), path, keep)
            size = path.stat().st_size  # somebody may have taken it away at once
        # torch turns a full disk into a RuntimeError
        except (OSError, RuntimeError, CheckpointError) as error:
            if by != "time" or not self._has_warned:  # a long epoch may have many tries
                self._on_event(Warned(message=f"{path.name} was not saved: {error}"))
            self._has_warned = True
            return False
        self._has_warned = False
        self._on_event(
            CheckpointSaved(
                kind=kind,
                epoch=epoch,
                path=path.name,
                bytes=size,
                seconds=time.perf_counter() - started,
                by=by,
            )
        )
        return True

    def _require_finite(self, weights: Weights) -> None:
        """Refuse to save what nobody could go on with.

        A buffer may hold infinities on purpose, a mask say, as long as the losses are numbers.
        """
        model = self._trainer.model
        trained = {name for name, _ in model.named_parameters(remove_duplicate=False)}
        are_losses_bad = self._trainer.not_finite is not None
        broken = [name for name in not_finite(weights) if name in trained or are_losses_bad]
        if broken:
            raise CheckpointError(f"{broken[0]} is not finite; an older file stays as it is")


def load_last(run: Run, warn: Callable[[str], None]) -> tuple[State | None, str]:
    """The newest state of a run that can be trusted, and where it is from.

    None, and so the run's start, where there is none: the same seeds lead to the same weights.

    Args:
        run: which was interrupted.
        warn: is told of each file that cannot be used.
    """
    for name in ("last.pt", "last.previous.pt"):
        path = run.path / name
        if not path.exists():
            continue
        try:
            return _load_state(path), name
        except CheckpointError as error:
            warn(str(error))
    return None, "the start, for there is no checkpoint to go on from"


def _load_state(path: Path) -> State:
    content = load_checkpoint(path)
    if not isinstance(content.get("state"), dict):
        raise CheckpointError(f"{path}: found no training state; allowed: a last.pt")
    return {**content["state"], "model": content["model"]}


def load_best(run: Run, warn: Callable[[str], None]) -> dict[str, Any] | None:
    """The content of `best.pt`, None if there is none that can be trusted.

    Args:
        run: whose it is.
        warn: is told of a file that cannot be used.
    """
    path = run.path / "best.pt"
    if not path.exists():
        return None
    try:
        content = load_checkpoint(path)
    except CheckpointError as error:
        warn(str(error))
        return None
    return content if isinstance(content.get("val_loss"), float) else None
