"""Whether a live engine still writes, told from how long its journal has been silent. Pure."""

from __future__ import annotations

import msgspec

from .state import RunState

SECONDS_OF_SILENCE = 10.0
_EPOCHS_OF_SILENCE = 10.0


class Pulse(msgspec.Struct, frozen=True):
    """What the screen knows of time.

    Args:
        heard: when the journal last grew, in Unix seconds by this machine's clock: the engine's
            may be another one's.
        now: by the same clock.
    """

    heard: float = 0.0
    now: float = 0.0

    @property
    def silence(self) -> float:
        """The seconds since the journal last grew."""
        return max(0.0, self.now - self.heard)

    def is_stalled(self, state: RunState) -> bool:
        """Whether the silence is much longer than an epoch takes; never while paused."""
        epoch = epoch_seconds(state)
        if epoch is None or state.paused or state.finished is not None:
            return False
        return self.silence > max(SECONDS_OF_SILENCE, _EPOCHS_OF_SILENCE * epoch)


def epoch_seconds(state: RunState) -> float | None:
    """How long an epoch takes now; None before the first."""
    speed = state.epochs_per_second
    return 1 / speed if speed else None
