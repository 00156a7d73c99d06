"""How long a run has trained, told from the times of its records alone."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Clock:
    """Counts the seconds between records while training goes on, and none while it does not.

    Args:
        now: when the last record was written, in Unix seconds.
        since: when training last began or went on; None while it stands still.
        counted: the seconds of training before that.
    """

    now: float = 0.0
    since: float | None = None
    counted: float = 0.0

    @property
    def seconds(self) -> float:
        """The training up to the last record; a computer's clock that is put back counts none."""
        running = 0.0 if self.since is None else max(0.0, self.now - self.since)
        return self.counted + running

    def at(self, time: float) -> Clock:
        """The clock at the next record."""
        return replace(self, now=time)

    def stopped(self) -> Clock:
        """The clock standing still from its last record on."""
        return Clock(now=self.now, counted=self.seconds)

    def going_on(self) -> Clock:
        """The clock running from its last record on, if it stood still."""
        return self if self.since is not None else replace(self, since=self.now)
