"""Real engine processes for tests."""

import subprocess
from pathlib import Path

from epochtop.core import JournalReader, Run, resolve_settings
from epochtop.core.engine.launch import launch
from epochtop.core.events import EpochCompleted, Event, RunFinished
from epochtop.core.run.directory import create_run

from ..waiting import wait_for

# Trains until somebody ends it.
ENDLESS = ("train.epochs=1000000", "stopping.patience=0", "data.source=synthetic")


def start_engine(
    runs: Path, *overrides: str, name: str | None = None
) -> tuple[Run, "subprocess.Popen[bytes]"]:
    """A detached engine at work."""
    run = create_run(runs, resolve_settings(overrides=overrides), name)
    return run, launch(run)


def events_of(run: Run) -> list[Event]:
    return JournalReader(run.journal_path).read()


def wait_for_epoch(run: Run, epoch: int = 1) -> None:
    """Wait until the engine has completed an epoch."""
    reader = JournalReader(run.journal_path)
    wait_for(
        lambda: any(
            isinstance(event, EpochCompleted) and event.epoch >= epoch for event in reader.read()
        ),
        f"epoch {epoch} of {run.name}",
    )


def endings(run: Run) -> list[RunFinished]:
    return [event for event in events_of(run) if isinstance(event, RunFinished)]
