import json
from pathlib import Path

import pytest

from .conftest import InThisProcess

TALKATIVE = """
import torch
from torch import nn
from epochtop.core import Task

class Talkative(nn.Linear):
    def forward(self, inputs):
        print("a word from the model")
        return super().forward(inputs)

def build(settings):
    inputs = torch.randn(20, 3)
    rows = inputs, (inputs[:, 0] > 0).long()
    return Task(Talkative(3, 2), nn.CrossEntropyLoss(), train=rows, val=rows)
"""


@pytest.mark.parametrize(
    "command",
    [("train", "--set", "train.epochs=2"), ("lr-find", "--steps", "12")],
    ids=lambda command: command[0],
)
def test_what_a_task_prints_does_not_get_among_the_json(
    command: tuple[str, ...], tmp_path: Path, in_this_process: InThisProcess
) -> None:
    (tmp_path / "talkative.py").write_text(TALKATIVE)

    result = in_this_process(*command, "--task", "talkative.py:build", "--json")

    assert result.returncode == 0, result.stderr
    documents = result.stdout.splitlines() if command[0] == "train" else [result.stdout]
    assert all(json.loads(document) for document in documents)
    assert "a word from the model" in result.stderr
