"""Runs that end early, or are killed, and go on: in this process, without a wait."""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from epochtop.core import Run, load_checkpoint, resolve_settings
from epochtop.core.engine.engine import Outcome
from epochtop.core.engine.process import resume_here, train_here
from epochtop.core.events import EpochCompleted, Event, RunResumed, Warned
from epochtop.core.run.control import Command, Stop, send_command

from .engines import events_of
from .interruptions import comparable, standing

# Some epochs in which the validation loss falls and rises, of 4 steps each.
SMALL = (
    *("data.source=iris", "model.hidden=8", "model.dropout=0.2", "optim.lr=0.05"),
    *("train.epochs=12", "stopping.patience=0", "train.device=cpu"),
)


def look_at_every_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an engine see commands at the very next step."""
    monkeypatch.setattr("epochtop.core.engine.live_control._SECONDS_BETWEEN_LOOKS", 0.0)


def save_at_every_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an engine write its checkpoints before every step."""
    look_at_every_ask(monkeypatch)
    monkeypatch.setattr("epochtop.core.checkpoint.checkpoints._FIRST_WRITING_AFTER", 0.0)
    monkeypatch.setattr("epochtop.core.checkpoint.checkpoints._SECONDS_PER_WRITING_SECOND", 0.0)


def train(
    runs: Path, *overrides: str, hear: Callable[[Run, Event], None] = lambda _run, _event: None
) -> Run:
    """Train a new run; `hear` is told of its events as they are written."""
    settings = resolve_settings(overrides=[*SMALL, *overrides])
    outcome = train_here(settings, runs, None, lambda run: lambda event: hear(run, event))
    assert isinstance(outcome, Outcome)
    return outcome.run


def resume(run: Run, *overrides: str) -> Outcome:
    """Go on with a run to its end."""
    outcome = resume_here(run, overrides, lambda _run: lambda _event: None)
    assert isinstance(outcome, Outcome)
    return outcome


def send_after_epoch(epoch: int, command: Command) -> Callable[[Run, Event], None]:
    """Ask for something as soon as an epoch's record is written."""

    def hear(run: Run, event: Event) -> None:
        if isinstance(event, EpochCompleted) and event.epoch == epoch:
            send_command(run, command)

    return hear


def killed_at(
    runs: Path,
    is_moment: Callable[[Event], bool],
    *overrides: str,
    hear: Callable[[Run, Event], None] = lambda _run, _event: None,
) -> Run:
    """A run as a kill leaves it just after it has written an event, its last such one."""
    killed = runs / "killed"

    def hear_and_copy(run: Run, event: Event) -> None:
        if is_moment(event):
            shutil.rmtree(killed, ignore_errors=True)
            shutil.copytree(run.path, killed)
        hear(run, event)

    train(runs, *overrides, hear=hear_and_copy)
    return Run(killed)


def checkpoint(run: Run, name: str) -> Any:
    """A checkpoint's content in a form that compares, without its run's name and times."""
    content = load_checkpoint(run.path / name)
    del content["run"]
    return comparable(content)


def write_unchecked(content: Any, path: Path) -> None:
    """Write what epochtop would never write, with the right checksum."""
    torch.save(content, path)
    archive = path.read_bytes()
    comment = b"epochtop crc32 %08x" % zlib.crc32(archive)
    path.write_bytes(archive[:-2] + len(comment).to_bytes(2, "little") + comment)


def damage(path: Path) -> None:
    """Cut a file short, as a disk does that fills up."""
    path.write_bytes(path.read_bytes()[:-100])


def stopped(runs: Path, *overrides: str, epoch: int = 3) -> Run:
    """A run that was asked to stop at the first step after an epoch."""
    return train(runs, *overrides, hear=send_after_epoch(epoch, Stop("now")))


def resumed_record(run: Run) -> RunResumed:
    return [event for event in events_of(run) if isinstance(event, RunResumed)][-1]


def warnings_of(run: Run) -> list[str]:
    return [event.message for event in events_of(run) if isinstance(event, Warned)]


def epochs_of(run: Run) -> list[int]:
    return [event.epoch for event in events_of(run) if isinstance(event, EpochCompleted)]


def assert_same(run: Run, whole: Run) -> None:
    """Compare records and checkpoints of a run with those of one without an interruption."""
    assert comparable(standing(events_of(run))) == comparable(standing(events_of(whole)))
    for name in ("last.pt", "best.pt"):
        assert checkpoint(run, name) == checkpoint(whole, name), name
