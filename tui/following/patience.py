"""How near early stopping is to the end of a run, and when that would be. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...core.events import Stopping
from .state import RunState

Alarm = Literal["none", "half", "quarter", "last"]
_LAST_EPOCHS = 2


def share_left(stopping: Stopping) -> float | None:
    """How much of the patience, or of a measure's way to its limit, is left, from 1 to 0.

    None without a rule that ends the run, and for one whose numbers make no sense.
    """
    if stopping.limit is not None:
        used, whole = stopping.measure or 0.0, stopping.limit
    else:
        used, whole = stopping.epochs_since_best, stopping.patience
    return 1 - min(1.0, max(0.0, used / whole)) if whole > 0 else None


def alarm(stopping: Stopping, waits: int = 0) -> Alarm:
    """How loudly the rule's state is to be shown; for so many epochs it ends nothing yet."""
    left = share_left(stopping)
    if left is None:
        return "none"
    since = stopping.epochs_since_best
    if stopping.limit is None:
        epochs_left = max(stopping.patience - since, waits)
        if since and epochs_left <= _LAST_EPOCHS:
            return "last"
        left = epochs_left / stopping.patience
    elif waits:
        return "none"
    if left <= 1 / 4:
        return "quarter"
    return "half" if left <= 1 / 2 else "none"


class Outlook(msgspec.Struct, frozen=True):
    """When a run ends at its present speed.

    Args:
        last_epoch: at the latest, None if the journal does not say.
        seconds_at_most: until then.
        stop_epoch: if nothing improves any more; None where no rule says.
        seconds_to_stop: until then.
        waits_for: the epoch before which the rule ends nothing; None once it is over.
    """

    last_epoch: int | None
    seconds_at_most: float | None
    stop_epoch: int | None
    seconds_to_stop: float | None
    waits_for: int | None

    @classmethod
    def of(cls, state: RunState, since_last_record: float = 0.0) -> Outlook:
        """The outlook so many seconds after the last record."""
        speed = None if state.paused else state.epochs_per_second
        stop = _stop_epoch(state)

        def seconds_to(epoch: int | None) -> float | None:
            if epoch is None or not speed:
                return None
            # an epoch that takes longer than the others has not ended all the same
            passed = min(since_last_record, 1 / speed)
            return max(0.0, (epoch - state.epoch) / speed - passed)

        waits = _min_epochs(state)
        return cls(
            last_epoch=state.num_epochs,
            seconds_at_most=seconds_to(state.num_epochs),
            stop_epoch=stop,
            seconds_to_stop=seconds_to(stop),
            waits_for=waits if waits > state.epoch else None,
        )

    @property
    def stops_early(self) -> bool:
        """Whether patience can run out before the last epoch."""
        if self.stop_epoch is None:
            return False
        return self.last_epoch is None or self.stop_epoch < self.last_epoch


def _stop_epoch(state: RunState) -> int | None:
    stopping, patience = state.stopping, state.patience
    if stopping is None or not patience:
        return None
    out_of_patience = state.epoch - stopping.epochs_since_best + patience
    stop = max(out_of_patience, _min_epochs(state))
    return stop if state.num_epochs is None else min(stop, state.num_epochs)


def epochs_to_wait(state: RunState) -> int:
    """How many more epochs the rule ends nothing, however bad they are."""
    return max(0, _min_epochs(state) - state.epoch)


def _min_epochs(state: RunState) -> int:
    value = state.setting("stopping", "min_epochs")
    return value if isinstance(value, int) else 0
