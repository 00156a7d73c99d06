"""Real engine processes that start in milliseconds: see `fork_server`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from epochtop.core import Run, resolve_settings
from epochtop.core.run.directory import create_run

from ..waiting import wait_for
from . import fork_server

_CHECKPOINT = "epochtop.core.checkpoint.checkpoints"
# A checkpoint at every second step or so: half of the time is writing.
CHECKPOINTS_ALL_THE_TIME = {
    f"{_CHECKPOINT}._SECONDS_PER_WRITING_SECOND": 1.0,
    f"{_CHECKPOINT}._FIRST_WRITING_AFTER": 0.0,
    "epochtop.core.engine.live_control._SECONDS_BETWEEN_LOOKS": 0.0,
}


class Engine:
    """One engine process."""

    def __init__(self, server: "EngineServer", pid: int) -> None:
        self._server = server
        self.pid = pid

    def poll(self) -> int | None:
        """Its exit code, None as long as it runs."""
        return self._server.ask({"poll": self.pid})

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        wait_for(lambda: self.poll() is not None, "the end of the engine")
        return self.poll() or 0

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> int:
        """Kill it; its exit code."""
        self.send_signal(signal.SIGKILL)
        return self.wait()


class EngineServer:
    """Starts engines."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", fork_server.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def start(self, run: Run, *overrides: str, patches: Mapping[str, Any] | None = None) -> Engine:
        """An engine at work on a run, new or to be gone on with."""
        arguments = [str(run.path), *overrides]
        request = {"start": arguments, "log": str(run.log_path), "patches": dict(patches or {})}
        pid = self.ask(request)
        assert pid is not None
        return Engine(self, pid)

    def start_new(
        self, runs: Path, *overrides: str, patches: Mapping[str, Any] | None = None
    ) -> tuple[Run, Engine]:
        """A new run, and the engine that trains it."""
        run = create_run(runs, resolve_settings(overrides=overrides))
        return run, self.start(run, patches=patches)

    def ask(self, request: Mapping[str, Any]) -> int | None:
        """Send a request; the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: int | None = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
