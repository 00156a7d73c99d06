"""Follows a run's journal in a thread and posts what is new to the app."""

import threading
import time
from collections.abc import Callable

from textual.message import Message

from ...core.events import RunFinished, RunResumed, RunStarted, Warned
from ...core.run.directory import Run
from ...core.run.journal import JournalReader
from ...core.run.status import RunStatus, run_status
from .head_start import HeadStart
from .journal_parts import Part, new_parts
from .messages import RecordsArrived, StatusChanged

# Two or three pictures a second look live and cost the training on the same machine little. The
# journal is looked at and not watched: file system events do not come over NFS, one read is cheap.
SECONDS_BETWEEN_READS = 0.4
_SECONDS_BETWEEN_STATUS_CHECKS = 1.0
# What begins or ends a run, or goes on with it.
_TURNS = frozenset((RunStarted, RunFinished, RunResumed))
_REPLACED = "the journal was cut short or replaced by another; it is read again from its start"


class Follower(threading.Thread):
    """Posts a run's records in batches, and its state when that changes, until it is stopped.

    Args:
        run: what to follow.
        post: takes a message from any thread; false when nobody is there any more.
        head_start: what reads the journal already, and has to be stopped by who began it.
    """

    def __init__(
        self, run: Run, post: Callable[[Message], bool], head_start: HeadStart | None = None
    ) -> None:
        super().__init__(name=f"follower of {run.name}", daemon=True)
        self._run = run
        self._post = post
        self._stopped = threading.Event()
        self._reader = JournalReader(run.journal_path)
        self._head_start = head_start
        self._restarts = 0
        self._is_loading = False
        self._status: RunStatus | None = None
        self._next_status_check = 0.0

    def run(self) -> None:
        """Read and post; the thread's own work."""
        while not self._stopped.is_set():
            # The state is looked at before the records are read and posted after them: when it
            # says that the run has ended, all that the run had to say has come before it.
            status = self._status_if_due()
            if self._read():
                status = run_status(self._run)
                self._read()
            self._post_status(status)
            self._stopped.wait(SECONDS_BETWEEN_READS)

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        self.join()

    def _is_wanted(self) -> bool:
        return not self._stopped.is_set()

    def _read(self) -> bool:
        """Post what is new, a long journal part after part; whether the run began or ended."""
        has_turned = self._read_head_start()
        for part in new_parts(self._reader, self._is_wanted):
            has_turned = self._post_part(part) or has_turned
        if self._is_wanted() and (self._is_loading or self._reader.restarts > self._restarts):
            self._post_part(Part([], None))
        return has_turned

    def _read_head_start(self) -> bool:
        """Post what another process has read, and go on where it ended."""
        head_start, self._head_start = self._head_start, None
        has_turned = False
        if head_start is not None:
            for part, reader in head_start.parts(self._is_wanted):
                self._reader = reader
                has_turned = self._post_part(part) or has_turned
        return has_turned

    def _post_part(self, part: Part) -> bool:
        """Post records; whether the run began, ended or went on with one of them."""
        starts_over = self._reader.restarts > self._restarts
        self._restarts = self._reader.restarts
        self._is_loading = part.loading is not None
        warnings = [Warned(message=_REPLACED)] if starts_over else []
        self._post(
            RecordsArrived(
                self._run,
                [*part.arrivals, *warnings],
                loading=part.loading,
                starts_over=starts_over,
            )
        )
        return not _TURNS.isdisjoint(map(type, part.arrivals))

    def _status_if_due(self) -> RunStatus | None:
        """Look now and then whether the engine lives: a killed one writes nothing any more."""
        if time.monotonic() < self._next_status_check:
            return None
        self._next_status_check = time.monotonic() + _SECONDS_BETWEEN_STATUS_CHECKS
        return run_status(self._run)

    def _post_status(self, status: RunStatus | None) -> None:
        if status is not None and status != self._status and not self._stopped.is_set():
            self._status = status
            self._post(StatusChanged(self._run, status))
