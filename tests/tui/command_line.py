"""The program as a person runs it: a process, its output and its exit code."""

import subprocess
import sys
from pathlib import Path

EPOCHTOP = [sys.executable, "-c", "from epochtop.tui.cli import main; main()"]


def epochtop(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*EPOCHTOP, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def sets(*overrides: str) -> list[str]:
    return [word for override in overrides for word in ("--set", override)]
