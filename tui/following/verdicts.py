"""A run's verdict: the engine's own, or one found here where the journal holds none.

That is the case of journals that a user's own loop has written, or an older version.
"""

from __future__ import annotations

from typing import Any

from ...core.events import VerdictChanged
from ...core.verdict import FEWEST_EPOCHS
from .state import RunState

# A journal without verdicts is judged again when it has grown by this share.
_GROWTH = 1.05


def verdict_of(state: RunState) -> VerdictChanged | None:
    """What the curves say; None as long as there is next to nothing to say it of."""
    if state.verdict is not None or len(state.history) < FEWEST_EPOCHS:
        return state.verdict
    import numpy as np

    from ...core.verdict.curves import Curves, rows_compared, yardsticks_of
    from ...core.verdict.judge import judge

    history = state.history
    train = history.column("train_loss_eval")
    verdict = judge(
        Curves(
            epochs=history.epochs,
            train=history.column("train_loss") if np.isnan(train).all() else train,
            val=history.column("val_loss"),
            yardsticks=yardsticks_of(state.started),
            rows=rows_compared(state.recent),
        )
    )
    return verdict.as_record()


def verdict_json(verdict: VerdictChanged | None) -> dict[str, Any] | None:
    """A verdict in plain types, for scripts."""
    if verdict is None:
        return None
    return {
        "verdict": verdict.verdict,
        "since_epoch": verdict.since_epoch,
        "confidence": verdict.confidence,
        "evidence": verdict.evidence,
    }


class FollowedVerdict:
    """The verdict of a run whose journal grows; it costs nothing where the engine tells it."""

    def __init__(self) -> None:
        self._verdict: VerdictChanged | None = None
        self._length = 0
        self._last = ""

    def of(self, state: RunState) -> VerdictChanged | None:
        """The verdict, or what it was a few epochs ago."""
        if state.verdict is not None or state.loading is not None:
            return state.verdict
        length = len(state.history)
        if length > _GROWTH * self._length or not self._has_grown_from_then(state, length):
            self._verdict, self._length = verdict_of(state), length
            self._last = _loss_at(state, length)
        return self._verdict

    def _has_grown_from_then(self, state: RunState, length: int) -> bool:
        """Whether the epochs that were judged still stand: a run may have gone back."""
        return length >= self._length and _loss_at(state, self._length) == self._last


def _loss_at(state: RunState, length: int) -> str:
    """The validation loss of the last of so many epochs; as text nan equals nan."""
    return repr(float(state.history.column("val_loss")[length - 1])) if length else ""
