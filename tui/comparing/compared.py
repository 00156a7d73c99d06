"""What a comparison takes from a run's state."""

from __future__ import annotations

import math

import msgspec

from ...core.errors import EpochtopError
from ...core.run.comparison import AtBest, ComparedRun, dotted
from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..following.state import RunState
from ..following.verdicts import verdict_of


def compared_run(run: Run, state: RunState, status: RunStatus) -> ComparedRun:
    """A run as far as its journal tells; what it has not come to yet stays open."""
    started = state.started
    first = dotted(started.settings) if started else {}
    return ComparedRun(
        name=run.name,
        status=status,
        paused=status.is_live and state.paused,
        settings=dotted(state.settings) if started else _planned_settings(run),
        began_with={path: first[path] for path in state.changed if path in first},
        epoch=state.epoch,
        num_epochs=state.num_epochs,
        best=at_best(state),
        verdict=verdict_of(state),
        problem=started.problem if started else None,
        num_val=started.num_val if started else None,
        baseline_loss=started.baseline_loss if started else None,
    )


def at_best(state: RunState) -> AtBest | None:
    """What was measured at the best epoch that stands; None before there is one."""
    import numpy as np

    history, epoch = state.history, state.stopping.lowest_epoch if state.stopping else None
    if epoch is None:
        return None
    index = int(np.searchsorted(history.epochs, epoch))
    if index == len(history) or history.epochs[index] != epoch:
        return None
    val, train, in_evaluation, penalty = (
        _number(float(history.column(name)[index]))
        for name in ("val_loss", "train_loss", "train_loss_eval", "penalty")
    )
    if val is None:
        return None
    return AtBest(
        epoch=epoch,
        val_loss=val,
        train_loss=train if in_evaluation is None else in_evaluation,
        train_measured_in="training" if in_evaluation is None else "evaluation",
        penalty=penalty,
        seconds=float(history.seconds[index]) if state.started else None,
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _planned_settings(run: Run) -> dict[str, object]:
    """Those that a run will start with, where its journal has not begun."""
    from ...core.settings.toml_file import read_settings

    try:
        # as a journal would say them: lists, and no tuples
        said = msgspec.json.encode(read_settings(run.settings_path))
        return dotted(msgspec.json.decode(said))
    except EpochtopError:
        return {}
