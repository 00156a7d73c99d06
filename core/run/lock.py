"""One engine a run: a lock that the system takes back when its process ends, however it ends."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import RunError
from .directory import Run
from .status import read_engine_process


@contextmanager
def training_lock(run: Run) -> Iterator[None]:
    """Hold the right to train a run.

    It is a record lock of POSIX: unlike that of `flock` it is not inherited by a loader's worker
    processes, which may outlive a killed engine for some seconds.

    Raises:
        RunError: another process trains the run, or its directory cannot be written or locked.
    """
    try:
        file = os.open(run.lock_path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RunError(f"{run.lock_path}: cannot be written: {error.strerror}") from None
    try:
        _take(file, run)
        yield
    finally:
        os.close(file)


def _take(file: int, run: Run) -> None:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise RunError(
                f"{run.lock_path}: cannot be locked: {error.strerror}; allowed: a file system with "
                "locks, which keep a second engine off the run"
            ) from None
        engine = read_engine_process(run)
        who = f"process {engine.pid} on {engine.host}" if engine else "another process"
        raise RunError(f"run {run.name}: {who} trains it; allowed: one engine a run") from None
