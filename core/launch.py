"""Start an engine that outlives whoever started it."""

import os
import subprocess
import sys

from .run import Run
from .status import engine_process, write_engine_process


def launch(run: Run) -> "subprocess.Popen[bytes]":
    """Start the engine of a run as a process of its own, detached from this one.

    It has its own session, so that a closed terminal does not reach it, no stdin, and its
    output goes to the run's `engine.log`. `-P` keeps the current directory off the module path:
    a user's own `random.py` must not become torch's.

    Raises:
        OSError: the process cannot be started.
    """
    with run.log_path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - no shell, and the program is our own
            [sys.executable, "-P", "-m", "epochtop.core.engine", str(run.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    write_engine_process(run, engine_process(process.pid))
    return process
