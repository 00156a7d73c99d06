import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from epochtop.tui import app
from epochtop.tui.asking import resumption
from epochtop.tui.cli import run_command
from epochtop.tui.following import follower, pulse
from epochtop.tui.widgets import loss_curve

from .posing import still_world  # noqa: F401 - a fixture

InThisProcess = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> InThisProcess:
    """Runs a command without a process of its own: torch loads once, if at all."""

    def run(*arguments: str, cwd: Path = tmp_path) -> "subprocess.CompletedProcess[str]":
        monkeypatch.chdir(cwd)
        code = run_command(list(arguments))
        captured = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, captured.out, captured.err)

    return run


@pytest.fixture(autouse=True)
def patient_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test on a slow machine may take longer than a live run's journal is ever silent."""
    monkeypatch.setattr(pulse, "SECONDS_OF_SILENCE", 1e6)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person finds soon enough costs hundreds of tests minutes together."""
    monkeypatch.setattr(follower, "SECONDS_BETWEEN_READS", 0.02)
    monkeypatch.setattr(follower, "_SECONDS_BETWEEN_STATUS_CHECKS", 0.05)
    monkeypatch.setattr(resumption, "_SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(app, "_SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(loss_curve, "_SECONDS_BETWEEN_DATA", 0.02)
