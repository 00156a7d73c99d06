"""epochtop's engine, with all that it does for a run."""

import tempfile
from pathlib import Path

import torch

from epochtop.core.engine.process import train_here
from epochtop.core.events import EpochCompleted, Event, Warned

from ..epochs import EpochLog
from ..problem import Workload


def train(workload: Workload, log: EpochLog) -> None:
    """Train a run in a directory of its own.

    Raises:
        RuntimeError: the run did not complete as it should: there is nothing to measure.
    """
    warnings: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Warned):
            warnings.append(event.message)
        elif isinstance(event, EpochCompleted):
            assert event.train_loss is not None
            assert event.val_loss is not None
            log.end_epoch(event.train_loss, event.val_loss)

    if workload.settings.train.compile:
        torch.compiler.reset()  # a run of its own is a process of its own, which compiles anew
    with tempfile.TemporaryDirectory() as runs:
        outcome = train_here(workload.settings, Path(runs), None, lambda _: report)
    if warnings or getattr(outcome, "exit_code", 1) != 0:
        raise RuntimeError(f"{outcome} {warnings}")
