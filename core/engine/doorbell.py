"""Answers requests at once while a step takes long: training itself looks between steps only.

A step of a large model, of many accumulated batches or of a slow loader may take seconds. The
thread says in the journal that a request has been seen; it is carried out, and answered, by the
training as ever.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from ..events import Event, RequestSeen
from ..run.control import waiting_commands
from ..run.directory import Run

_SECONDS_BETWEEN_LOOKS = 0.05
# Training that has looked so recently will look again soon enough.
_SECONDS_OF_A_LONG_STEP = 0.12


class LooksAtRequests(Protocol):
    """Who carries requests out."""

    @property
    def looked_at(self) -> float:
        """When it last did, by `time.monotonic`."""


@contextmanager
def doorbell(run: Run, control: LooksAtRequests, emit: Callable[[Event], None]) -> Iterator[None]:
    """Tell of requests that wait for a step to end, inside `with`.

    Args:
        run: whose requests they are.
        control: who carries them out.
        emit: writes to the journal, from any thread.
    """
    is_over = threading.Event()
    thread = threading.Thread(
        target=_listen, args=(run, control, emit, is_over), name="doorbell", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _listen(
    run: Run, control: LooksAtRequests, emit: Callable[[Event], None], is_over: threading.Event
) -> None:
    told: set[str] = set()
    while not is_over.wait(_SECONDS_BETWEEN_LOOKS):
        if time.monotonic() - control.looked_at < _SECONDS_OF_A_LONG_STEP:
            continue
        for name, request in waiting_commands(run):
            if name not in told:
                told.add(name)
                emit(RequestSeen(request=request))
