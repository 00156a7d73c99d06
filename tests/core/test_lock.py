"""One engine a run, however its processes come and go."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from epochtop.core.errors import RunError
from epochtop.core.run.directory import Run, create_run
from epochtop.core.run.lock import training_lock
from epochtop.core.run.status import EngineProcess, write_engine_process
from epochtop.core.settings.declaration import Settings

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "runs", Settings())


class Holder:
    """A forked process that holds the lock until it is ended."""

    def __init__(self, run: Run, then: Callable[[], None] = lambda: None) -> None:
        ready, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                with training_lock(run):
                    then()
                    os.write(tell, b"!")
                    signal.pause()
            finally:
                os._exit(1)
        os.close(tell)
        assert os.read(ready, 1) == b"!"
        os.close(ready)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def test_a_run_that_nobody_trains_can_be_locked_again_and_again(run: Run) -> None:
    for _ in range(2):
        with training_lock(run):
            assert run.lock_path.exists()


def test_a_second_engine_is_told_who_trains_the_run(run: Run) -> None:
    write_engine_process(run, EngineProcess(pid=4711, process_started=0.0, host="there"))
    holder = Holder(run)
    try:
        with pytest.raises(RunError, match="process 4711 on there trains it"), training_lock(run):
            pass
    finally:
        holder.kill()


def test_a_killed_engine_holds_nothing(run: Run) -> None:
    Holder(run).kill()
    with training_lock(run):
        pass


def test_a_loaders_process_that_outlives_its_engine_holds_nothing(run: Run) -> None:
    """A lock of `flock` would be held by every process that was forked with it."""
    ready, tell = os.pipe()

    def fork_worker() -> None:
        if (worker := os.fork()) == 0:
            signal.pause()
            os._exit(1)
        os.write(tell, worker.to_bytes(4, sys.byteorder))

    Holder(run, then=fork_worker).kill()
    worker = int.from_bytes(os.read(ready, 4), sys.byteorder)
    try:
        with training_lock(run):
            pass
    finally:
        os.kill(worker, signal.SIGKILL)
        os.close(ready)
        os.close(tell)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def test_a_file_system_without_locks_is_not_told_as_another_engine(
    run: Run, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.lockf", refuse)
    message = f"engine.lock: cannot be locked: {os.strerror(number)}; allowed: a file system"
    with pytest.raises(RunError, match=message), training_lock(run):
        pass


def test_a_directory_that_is_gone_is_said(run: Run) -> None:
    gone = Run(run.path / "gone")
    with pytest.raises(RunError, match=r"engine\.lock: cannot be written"), training_lock(gone):
        pass
