"""Runs as a table and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.cells import cell_len, set_cell_size

from ...core.errors import RunError
from ...core.events import CheckpointSaved, Paused, SettingChanged, Warned
from ...core.run.directory import Run, list_runs
from ...core.run.journal import read_backwards
from ...core.run.standing import lowest_loss
from ...core.run.status import RunSummary, summarise
from ..words import wording

_HEADER = ("run", "status", "epoch", "best val", "at epoch", "started")
_MIN_GAP = 2


def summarise_runs(runs: Path) -> list[RunSummary]:
    """The summaries of all runs, oldest first."""
    return [summarise(run) for run in list_runs(runs)]


def newest_run(runs: Path) -> Run:
    """The newest live run, else the newest.

    Raises:
        RunError: there is none.
    """
    known = list_runs(runs)
    if not known:
        raise RunError(f"there is no run in {runs}; start one: epochtop demo")
    live = (run for run in reversed(known) if summarise(run).status.is_live)
    return next(live, known[-1])


def is_paused(run: Run) -> bool:
    """Whether the training of a live run stands still on request."""
    for event in read_backwards(run.journal_path):
        if isinstance(event, Paused):
            return True
        if not isinstance(event, CheckpointSaved | SettingChanged | Warned):
            return False
    return False


def table_lines(summaries: Sequence[RunSummary]) -> list[str]:
    """A header and a line a run; empty without runs."""
    if not summaries:
        return []
    rows = [_HEADER, *(_row(summary) for summary in summaries)]
    widths = [max(map(cell_len, column)) + _MIN_GAP for column in zip(*rows, strict=True)]
    return ["".join(map(set_cell_size, row, widths)).rstrip() for row in rows]


def as_json(summary: RunSummary) -> dict[str, Any]:
    """A run's summary in plain types."""
    best_loss, best_epoch = lowest_loss(summary)
    return {
        "run": summary.run.name,
        "path": str(summary.run.path),
        "state": summary.status.state,
        "paused": _is_live_and_paused(summary),
        "reason": summary.status.reason,
        "message": summary.finished.message if summary.finished else None,
        "started": summary.started.time if summary.started else None,
        "epoch": summary.last_epoch.epoch if summary.last_epoch else 0,
        "epochs": _num_epochs(summary),
        "best_loss": best_loss,
        "best_epoch": best_epoch,
        "last_epoch": _last_epoch(summary),
        "settings": summary.started.settings if summary.started else None,
    }


def _row(summary: RunSummary) -> tuple[str, ...]:
    last, started = summary.last_epoch, summary.started
    best_loss, best_epoch = lowest_loss(summary)
    return (
        summary.run.name,
        wording.status_text(summary.status, paused=_is_live_and_paused(summary)),
        f"{last.epoch if last else 0}/{_num_epochs(summary) or '?'}",
        wording.loss_text(best_loss) if last else "-",
        str(best_epoch) if best_epoch else "-",
        wording.date_text(started.time) if started else "-",
    )


def _last_epoch(summary: RunSummary) -> dict[str, Any] | None:
    """The last epoch's record; without a rule's state where no rule has written one."""
    last = summary.last_epoch
    if last is None:
        return None
    record: dict[str, Any] = msgspec.to_builtins(last)
    if last.stopping.is_known:
        return record
    return record | {"step": last.step or None, "stopping": None}


def _num_epochs(summary: RunSummary) -> int | None:
    """The most epochs that the run trains; one that trained more has had its number changed."""
    began_with = summary.started.num_epochs if summary.started else None
    last = summary.last_epoch
    if last is None or began_with is None or last.epoch <= began_with:
        return began_with
    changes = (
        event.after
        for event in read_backwards(summary.run.journal_path)
        if isinstance(event, SettingChanged) and event.setting == "train.epochs"
    )
    return next(changes, began_with)


def _is_live_and_paused(summary: RunSummary) -> bool:
    return summary.status.is_live and is_paused(summary.run)
