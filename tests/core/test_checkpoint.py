"""What the checkpoints of a run hold, of whatever model it trains."""

from pathlib import Path

import pytest
import torch

from epochtop.core import Run, load_checkpoint, resolve_settings
from epochtop.core.engine.engine import Outcome
from epochtop.core.engine.process import train_here
from epochtop.core.events import CheckpointSaved, EpochCompleted, Event, Paused, Resumed
from epochtop.core.run.control import Pause, Unpause, send_command

from .engines import endings, events_of
from .resumptions import (
    assert_same,
    look_at_every_ask,
    resume,
    save_at_every_ask,
    stopped,
    train,
    warnings_of,
)

TASK = """
import math

import torch
from torch import nn
from epochtop.core import Task

class Peculiar(nn.Module):
    \"\"\"With a causal mask in a buffer, and a state beside its tensors.\"\"\"

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("mask", torch.triu(torch.full((4, 4), -math.inf), diagonal=1))
        self.calls = {CALLS}

    def get_extra_state(self):
        return self.calls

    def set_extra_state(self, state):
        self.calls = state

    def forward(self, inputs):
        self.calls["in all"] = self.calls.get("in all", 0) + self.training
        attention = torch.softmax(self.linear(inputs)[:, :, None] + self.mask, dim=-1)
        return attention @ inputs[:, :, None]

def build(settings):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(48, 4, generator=generator)
    data = inputs, inputs.cumsum(1)[:, :, None]
    return Task(Peculiar(), nn.MSELoss(), train=data, val=data)
"""
SHORT = ("train.epochs=5", "train.batch_size=16")


def task(directory: Path, calls: str = "{}") -> tuple[str, ...]:
    file = directory / "task.py"
    file.write_text(TASK.replace("{CALLS}", calls))
    return f"task={file}:build", *SHORT


def test_a_mask_of_infinities_and_a_state_beside_the_tensors_are_saved_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_at_every_ask(monkeypatch)
    whole = train(tmp_path / "whole", *task(tmp_path))
    run = stopped(tmp_path / "stopped", *task(tmp_path))

    resume(run)

    assert not warnings_of(whole)
    best = load_checkpoint(whole.path / "best.pt")["model"]
    assert torch.isneginf(best["mask"]).sum() == 6
    assert best["_extra_state"]["in all"] == 3 * (endings(whole)[-1].best_epoch or 0)
    assert_same(run, whole)


def test_a_state_that_could_not_be_loaded_again_is_not_saved_and_said(tmp_path: Path) -> None:
    run = train(tmp_path, *task(tmp_path, "{'where': __import__('pathlib').Path('.')}"))

    assert [event.reason for event in endings(run)] == ["completed"]
    assert not (run.path / "best.pt").exists()
    assert any(
        "best.pt was not saved" in text and "allowed: tensors and plain types" in text
        for text in warnings_of(run)
    )


def test_what_became_no_number_only_in_training_is_not_saved(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(
        TASK.replace("{CALLS}", "{}").replace(
            "        attention =", "        self.mask[0, 0] = torch.nan\n        attention ="
        )
    )
    run = train(tmp_path, f"task={tmp_path / 'task.py'}:build", *SHORT)

    assert [event.reason for event in endings(run)] == ["not_finite"]
    assert not (run.path / "last.pt").exists()


def test_what_is_infinite_in_a_buffer_is_saved_as_long_as_the_losses_are_numbers(
    tmp_path: Path,
) -> None:
    (tmp_path / "task.py").write_text(
        TASK.replace("{CALLS}", "{}")
        .replace(
            "        attention =", "        self.mask[0, 3] = torch.inf * -1\n        attention ="
        )
        .replace("diagonal=1))", "diagonal=9))")
    )
    run = train(tmp_path, f"task={tmp_path / 'task.py'}:build", *SHORT)

    assert not warnings_of(run)
    assert torch.isneginf(load_checkpoint(run.path / "last.pt")["model"]["mask"]).sum() == 1


def test_a_pause_keeps_what_was_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_every_ask(monkeypatch)
    kept: list[int] = []

    def pause_then_look(run: Run, event: Event) -> None:
        if isinstance(event, EpochCompleted) and event.epoch == 2:
            send_command(run, Pause())
        if isinstance(event, CheckpointSaved) and event.kind == "last" and not kept:
            kept.append(event.epoch)
            send_command(run, Unpause())

    run = train(tmp_path, *task(tmp_path), hear=pause_then_look)

    kinds = [type(event) for event in events_of(run)]
    assert kinds.index(Paused) < kinds.index(CheckpointSaved) < kinds.index(Resumed)
    assert kept == [2]


SIGNALLED = """
import os, signal
import torch
from torch import nn
from torch.utils.data import Dataset
from epochtop.core import Task

class Ends(Dataset):
    def __len__(self):
        return 40

    def __getitem__(self, index):
        if index == 7:  # as when a signal goes to the whole group of processes
            os.kill(os.getpid(), signal.SIGTERM)
            raise RuntimeError("DataLoader worker (pid 1) exited unexpectedly")
        return torch.ones(4), torch.ones(1)

def build(settings):
    val = torch.ones(4, 4), torch.ones(4, 1)
    return Task(nn.Linear(4, 1), nn.MSELoss(), train=Ends(), val=val)
"""


def test_a_signal_that_ends_a_loaders_workers_too_is_an_interruption_and_no_failure(
    tmp_path: Path,
) -> None:
    (tmp_path / "task.py").write_text(SIGNALLED)
    settings = resolve_settings(overrides=[f"task={tmp_path / 'task.py'}:build", *SHORT])
    outcome = train_here(settings, tmp_path, None, lambda _run: lambda _event: None)

    assert isinstance(outcome, Outcome)
    assert (outcome.finished.reason, outcome.exit_code) == ("interrupted", 143)
    assert outcome.finished.message == "ended by SIGTERM"
