"""Follows a run's journal in a thread and posts what is new to the app."""

import threading
import time
from collections.abc import Callable, Sequence

from textual.message import Message

from ..core.events import Event, RunFinished, RunResumed, RunStarted, Warned
from ..core.run.directory import Run
from ..core.run.journal import JournalReader
from ..core.run.status import RunStatus, run_status
from .gathering import Gathering
from .messages import RecordsArrived, StatusChanged

# Two or three pictures a second look live and cost the training on the same machine little. The
# journal is looked at and not watched: file system events do not come over NFS, one read is cheap.
SECONDS_BETWEEN_READS = 0.4
# Of a long journal the first part is shown early; each further picture delays the whole one.
_SECONDS_TO_FIRST_PART = 0.15
_SECONDS_BETWEEN_PARTS = 0.4
_SECONDS_BETWEEN_STATUS_CHECKS = 1.0
_REPLACED = "the journal was cut short or replaced by another; it is read again from its start"


class Follower(threading.Thread):
    """Posts a run's records in batches, and its state when that changes, until it is stopped.

    Args:
        run: what to follow.
        post: takes a message from any thread; false when nobody is there any more.
    """

    def __init__(self, run: Run, post: Callable[[Message], bool]) -> None:
        super().__init__(name=f"follower of {run.name}", daemon=True)
        self._run = run
        self._post = post
        self._stopped = threading.Event()
        self._reader = JournalReader(run.journal_path)
        self._restarts = 0
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

    def _read(self) -> bool:
        """Post what is new, a long journal part after part; whether the run began or ended."""
        gathering, has_turned, is_loading = Gathering(), False, False
        part_due = time.monotonic() + _SECONDS_TO_FIRST_PART
        for events in self._reader.chunks():
            if self._stopped.is_set():
                return False
            has_turned = has_turned or _turns(events)
            gathering.add(events)
            if time.monotonic() >= part_due:
                self._post_records(gathering, loading=self._reader.share)
                is_loading = True
                part_due = time.monotonic() + _SECONDS_BETWEEN_PARTS
        if gathering or is_loading or self._reader.restarts > self._restarts:
            self._post_records(gathering, loading=None)
        return has_turned

    def _post_records(self, gathering: Gathering, *, loading: float | None) -> None:
        starts_over = self._reader.restarts > self._restarts
        self._restarts = self._reader.restarts
        arrivals = gathering.take()
        if starts_over:
            arrivals.append(Warned(message=_REPLACED))
        message = RecordsArrived(self._run, arrivals, loading=loading, starts_over=starts_over)
        self._post(message)

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


def _turns(events: Sequence[Event]) -> bool:
    """Whether the run began, ended or was gone on with."""
    return any(isinstance(event, RunStarted | RunFinished | RunResumed) for event in events)
