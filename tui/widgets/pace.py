"""When to draw what changes often."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.timer import Timer


class Pace:
    """Draws at once where the last time is long ago, else a little later, once for all till then.

    Args:
        owner: whose timer waits.
        draw: draws.
    """

    def __init__(self, owner: MessagePump, draw: Callable[[], object]) -> None:
        self._owner = owner
        self._draw = draw
        self._drawn_at = 0.0
        self._timer: Timer | None = None

    def draw_soon(self, seconds_between: float) -> None:
        """Draw as soon as the last time is so long ago."""
        wait = self._drawn_at + seconds_between - time.monotonic()
        if wait <= 0:
            self.draw_now()
        elif self._timer is None:
            self._timer = self._owner.set_timer(wait, self.draw_now)

    def draw_now(self) -> None:
        """Draw, and nothing for what has waited."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._drawn_at = time.monotonic()
        self._draw()
