"""What state a run is in, told from its journal and its engine's process."""

import math
import os
import socket
import time
from contextlib import suppress
from typing import Literal

import msgspec

from ..errors import RunError
from ..events import EpochCompleted, FinishReason, RunFinished, RunResumed, RunStarted
from .directory import Run

# An engine that has written nothing yet is given this long to appear.
_START_SECONDS = 10.0
# A run of another host counts as lost when its journal has been silent for this long.
_SILENT_SECONDS = 300.0

State = Literal["starting", "live", "finished", "killed", "lost"]


class EngineProcess(msgspec.Struct, frozen=True, kw_only=True):
    """The process that trains a run; a pid alone may be another process's by now."""

    pid: int
    process_started: float
    host: str

    def is_alive(self) -> bool:
        """Whether this very process still runs; only its own host can tell."""
        import psutil  # not before it is asked: the screen's first frame needs none

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.process_started) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def engine_process(pid: int | None = None) -> EngineProcess:
    """A process of this host as readers of a run will know it, by default this one."""
    import psutil

    pid = os.getpid() if pid is None else pid
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        started = 0.0
    return EngineProcess(pid=pid, process_started=started, host=socket.gethostname())


def write_engine_process(run: Run, engine: EngineProcess) -> None:
    """Note in the run's directory who trains it.

    Raises:
        RunError: the directory cannot be written.
    """
    unfinished = run.path / f".engine.{os.getpid()}.tmp"
    try:
        unfinished.write_bytes(msgspec.json.encode(engine))
        unfinished.replace(run.engine_path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise RunError(f"{run.engine_path}: cannot be written: {error.strerror}") from None


class RunStatus(msgspec.Struct, frozen=True):
    """A run's state, and how it ended if it did.

    `is_foreign`: a user's own loop trains it, which nobody can ask for anything.
    """

    state: State
    reason: FinishReason | None = None
    is_foreign: bool = False

    @property
    def is_live(self) -> bool:
        """Whether an engine works on the run."""
        return self.state in ("starting", "live")


class RunSummary(msgspec.Struct, frozen=True):
    """What a list shows of a run: its first and last records, and its state."""

    run: Run
    status: RunStatus
    started: RunStarted | None
    last_epoch: EpochCompleted | None
    finished: RunFinished | None


def summarise(run: Run) -> RunSummary:
    """Read a run's state and its last records, however long its journal."""
    from .journal import read_first  # late, as the screen's first frame reads none

    first = read_first(run.journal_path)
    finished, last_epoch = _last_records(run)
    started = first if isinstance(first, RunStarted) else None
    status = _status(run, started, finished, trains_itself=not started and last_epoch is not None)
    return RunSummary(run, status, started, last_epoch, finished)


def run_status(run: Run) -> RunStatus:
    """The state of a run now."""
    return summarise(run).status


def _last_records(run: Run) -> tuple[RunFinished | None, EpochCompleted | None]:
    """How the run ended, unless it was resumed since, and its last epoch."""
    from .journal import read_backwards

    finished: RunFinished | None = None
    last_that_stands = math.inf
    for event in read_backwards(run.journal_path):
        if isinstance(event, EpochCompleted) and event.epoch <= last_that_stands:
            return finished, event
        if isinstance(event, RunResumed):
            last_that_stands = min(last_that_stands, event.epoch)
        elif isinstance(event, RunFinished) and last_that_stands == math.inf:
            finished = event
    return finished, None


def _status(
    run: Run, started: RunStarted | None, finished: RunFinished | None, *, trains_itself: bool
) -> RunStatus:
    """The state; of a run that a user's own loop trains, only its journal's age can tell."""
    if finished is not None:
        return RunStatus("finished", finished.reason)
    engine = read_engine_process(run)
    if engine is None and trains_itself:
        is_silent = _age(run) >= _SILENT_SECONDS
        return RunStatus("lost" if is_silent else "live", is_foreign=True)
    if engine is None:
        waiting = _age(run) < _START_SECONDS
        return RunStatus("starting" if waiting and started is None else "killed")
    if engine.host != socket.gethostname():
        return RunStatus("live" if _age(run) < _SILENT_SECONDS else "lost")
    if not engine.is_alive():
        return RunStatus("killed")
    return RunStatus("live" if started else "starting")


def read_engine_process(run: Run) -> EngineProcess | None:
    """Who trains, or trained, a run; None if that is not said."""
    try:
        return msgspec.json.decode(run.engine_path.read_bytes(), type=EngineProcess)
    except (OSError, msgspec.MsgspecError):
        return None


def _age(run: Run) -> float:
    """Seconds since the run's journal, or its directory, last changed."""
    for path in (run.journal_path, run.path):
        try:
            return time.time() - path.stat().st_mtime
        except FileNotFoundError:
            continue
    return float("inf")
