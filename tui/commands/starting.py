"""Waits until a run that was started in the background trains."""

import subprocess
import time

from ...core.events import RunStarted
from ...core.run.directory import Run
from ...core.run.journal import read_first
from ...core.run.status import summarise
from . import output

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_TO_BEGIN = 120.0


def wait_until_begun(run: Run, engine: "subprocess.Popen[bytes]") -> int:
    """Exit code 0 once the run trains, or goes on loading for long; else the engine's own."""
    deadline = time.monotonic() + _SECONDS_TO_BEGIN
    while time.monotonic() < deadline:
        if isinstance(read_first(run.journal_path), RunStarted):
            return 0
        if (code := engine.poll()) is not None:
            output.warn(f"epochtop: {_why_it_ended(run)}")
            return code if code > 0 else 1
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return 0


def _why_it_ended(run: Run) -> str:
    finished = summarise(run).finished
    return finished.message if finished else f"the engine ended at once; see {run.log_path}"
