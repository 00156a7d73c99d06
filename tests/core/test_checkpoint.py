"""What the checkpoints of a run hold, of whatever model it trains."""

from pathlib import Path

import pytest
import torch

from epochtop.core import load_checkpoint

from .engines import endings
from .resumptions import (
    assert_same,
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
