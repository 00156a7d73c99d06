"""What is marked beside the lines: the best epoch, patience, the target, where the run stopped."""

from __future__ import annotations

import msgspec

from ...core.events import LossNotFinite
from ..following.patience import epochs_to_wait
from ..following.state import RunState
from ..words.verdict_wording import short_verdict


class Patience(msgspec.Struct, frozen=True):
    """The epochs that the rule waits for an improvement: from its best to where it would end."""

    from_epoch: int
    until_epoch: int


class Marks(msgspec.Struct, frozen=True):
    """The run's own facts, in epochs and losses.

    `best_epoch` has the lowest validation loss. `target` is the loss that the next epoch has to
    stay below. `stopped_at` is the epoch at which the run stopped early. `resumed_after` are the
    epochs from which the run went on. `would_stop` are the epochs at which other rules would have
    stopped, with a letter each. `verdict` says in a few words what the curves say.
    """

    best_epoch: int | None = None
    best_loss: float | None = None
    patience: Patience | None = None
    target: float | None = None
    stopped_at: int | None = None
    resumed_after: tuple[int, ...] = ()
    not_finite: LossNotFinite | None = None
    would_stop: tuple[tuple[int, str], ...] = ()
    verdict: str = ""


def marks_of(state: RunState) -> Marks:
    """The marks of a run as far as it is known."""
    stopping, finished = state.stopping, state.finished
    stopped_early = finished is not None and finished.reason == "early_stopped"
    return Marks(
        best_epoch=stopping.lowest_epoch if stopping else None,
        best_loss=stopping.lowest_loss if stopping else None,
        patience=_patience(state),
        target=stopping.target if stopping else None,
        stopped_at=finished.epoch if finished and stopped_early else None,
        resumed_after=state.resumptions,
        not_finite=state.not_finite,
        verdict=short_verdict(state.verdict) if state.verdict else "",
    )


def _patience(state: RunState) -> Patience | None:
    """The window of the rule `patience`; what Prechelt's rules wait for is no epoch."""
    stopping, finished = state.stopping, state.finished
    if stopping is None or stopping.rule != "patience" or not stopping.patience:
        return None
    if stopping.best_epoch is None or (finished and finished.reason != "early_stopped"):
        return None  # nothing is waited for
    left = stopping.patience - stopping.epochs_since_best
    return Patience(stopping.best_epoch, state.epoch + max(left, epochs_to_wait(state)))
