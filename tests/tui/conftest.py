import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from epochtop.tui.cli import run_command
from epochtop.tui.following import pulse

InThisProcess = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> InThisProcess:
    """Runs a command without a process of its own: torch loads once, if at all."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        code = run_command(list(arguments))
        captured = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, captured.out, captured.err)

    return run


@pytest.fixture(autouse=True)
def patient_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test on a slow machine may take longer than a live run's journal is ever silent."""
    monkeypatch.setattr(pulse, "SECONDS_OF_SILENCE", 1e6)
