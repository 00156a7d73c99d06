"""Start an engine that outlives whoever started it."""

import os
import subprocess
import sys
from collections.abc import Iterable

from ..run.directory import Run
from ..run.status import engine_process, write_engine_process
from .resume import has_begun


def launch(run: Run, overrides: Iterable[str] = ()) -> "subprocess.Popen[bytes]":
    """Start the engine of a run as a process of its own, detached from this one.

    A run that has begun goes on from its last checkpoint. The engine has its own session, so that
    a closed terminal does not reach it, no stdin, and its output goes to the run's `engine.log`.
    `-P` keeps the current directory off the module path: a user's own `random.py` must not become
    torch's.

    Args:
        run: what to train.
        overrides: `section.key=value` of settings that a run that goes on may change.

    Raises:
        OSError: the process cannot be started.
    """
    is_new = not has_begun(run)
    with run.log_path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the program is our own
            [sys.executable, "-P", "-m", "epochtop.core.engine", str(run.path), *overrides],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    if is_new:  # of the others one may be live, and known; the engine that takes the lock says so
        write_engine_process(run, engine_process(process.pid))
    return process
