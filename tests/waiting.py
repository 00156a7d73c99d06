"""Waiting for a condition, with a limit that only a broken program reaches."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT_SECONDS = 90.0
_nothing_happens = threading.Event()


def wait_for(condition: Callable[[], T | None], what: str) -> T:
    """Ask again and again until the answer is truthy, and return it."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"in {LIMIT_SECONDS:.0f} s it did not come: {what}"
        _nothing_happens.wait(0.02)
    return answer
