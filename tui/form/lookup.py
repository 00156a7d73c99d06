"""Questions whose answers may take long: one at a time, and only the newest waits."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lookup(Generic[T]):
    """Asks in a thread of its own, which a disk that hangs keeps from nothing but its answers.

    Args:
        answer: takes each answer, in that thread.
    """

    def __init__(self, answer: Callable[[T], object]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._waiting: Callable[[], T] | None = None
        self._is_busy = False

    def ask(self, question: Callable[[], T]) -> None:
        """Ask this next, in the place of what waits."""
        with self._lock:
            self._waiting = question
            if self._is_busy:
                return
            self._is_busy = True
        threading.Thread(target=self._work, name="lookup", daemon=True).start()

    def _work(self) -> None:
        while (question := self._next()) is not None:
            self._answer(question())

    def _next(self) -> Callable[[], T] | None:
        with self._lock:
            question, self._waiting = self._waiting, None
            self._is_busy = question is not None
            return question
