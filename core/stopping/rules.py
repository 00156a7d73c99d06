"""Early stopping as a pure state machine, which can be replayed on any history of losses.

A rule makes each epoch's state from the state before it and the epoch's losses, and tells from a
state alone why the run stops. It never looks ahead, so a replay of a journal, a resumed run and
an uninterrupted one agree. Prechelt's measures are in `prechelt`.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from ..events import EpochCompleted, Stopping
from ..settings.declaration import StoppingSettings
from . import reasons
from .prechelt import Strips, limit, measure


@dataclass(frozen=True)
class EpochLosses:
    """What a rule sees of an epoch; a loss may be nan or infinite."""

    epoch: int
    train_loss: float
    val_loss: float

    @classmethod
    def of(cls, record: EpochCompleted) -> "EpochLosses":
        """A journal's epoch, where None stands for every loss that was not finite."""
        train_loss, val_loss = record.train_loss, record.val_loss
        return cls(
            epoch=record.epoch,
            train_loss=math.nan if train_loss is None else train_loss,
            val_loss=math.nan if val_loss is None else val_loss,
        )


class RuleState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a rule knows after an epoch, as plain types of bounded size for a checkpoint.

    `stopping` is what the journal shows of it. `val_loss` is the last epoch's; a loss that was
    not finite is None.
    """

    stopping: Stopping
    epoch: int
    val_loss: float | None
    strips: Strips


@dataclass(frozen=True)
class EarlyStopping:
    """When a run has learnt enough, as its settings say.

    With the rule `patience` a run stops as soon as `patience` epochs in a row brought no
    improvement (0: never); with `gl`, `pq` and `up` when Prechelt's measure says so, and
    `patience` does not count. With any rule it also stops once the validation loss is below
    `satisfied_below` or above `diverged_above`.

    An epoch improves when its validation loss is below the best so far by more than `min_delta`,
    or by more than that share of the best's size. The strict minimum, whose weights are kept, is
    tracked beside it whatever `min_delta` is. A loss that is not finite never improves and
    crosses no threshold: what happens then is the setting `train.on_not_finite`.

    Before `min_epochs` neither the rule nor `satisfied_below` stops a run, while all of the
    tracking goes on; `diverged_above` stops it at once, for waiting cannot help it.
    """

    settings: StoppingSettings

    def start(self) -> RuleState:
        """The state before the first epoch."""
        nothing = Stopping(
            best_loss=None,
            best_epoch=None,
            epochs_since_best=0,
            patience=0,
            target=None,
            lowest_loss=None,
            lowest_epoch=None,
        )
        strips = Strips(length=self.settings.strip_epochs)
        return self._shown(RuleState(stopping=nothing, epoch=0, val_loss=None, strips=strips))

    def update(self, state: RuleState, losses: EpochLosses) -> RuleState:
        """The state after one more epoch.

        Raises:
            ValueError: the epoch does not follow the state's own.
        """
        if losses.epoch != state.epoch + 1:
            raise ValueError(f"epoch {losses.epoch} does not follow epoch {state.epoch}")
        val_loss = _finite(losses.val_loss)
        after = RuleState(
            stopping=self._bests(state.stopping, losses.epoch, val_loss),
            epoch=losses.epoch,
            val_loss=val_loss,
            strips=state.strips.after(_finite(losses.train_loss), val_loss),
        )
        return self._shown(after)

    def replay(self, history: Iterable[EpochLosses]) -> Iterator[RuleState]:
        """The state after each epoch of a history that begins with epoch 1."""
        state = self.start()
        for losses in history:
            state = self.update(state, losses)
            yield state

    def adopt(self, state: RuleState) -> RuleState:
        """The same past under this rule's settings, after a change of them or on resume.

        What has counted as an improvement stays one. A lowest loss that a smaller `min_delta`
        puts below the new target counts now, as if it had then. Strips keep their length and a
        change of the rule itself has no past to go on from: replay the history for these.
        """
        stopping = state.stopping
        lowest, epoch = stopping.lowest_loss, stopping.lowest_epoch
        if lowest is not None and epoch is not None and self._improves(stopping, lowest):
            stopping = replace(
                stopping,
                best_loss=lowest,
                best_epoch=epoch,
                epochs_since_best=state.epoch - epoch,
            )
        if stopping.rule != self.settings.rule:
            stopping = replace(stopping, measure=None)
        return self._shown(replace(state, stopping=stopping))

    def why_stop(self, state: RuleState) -> str | None:
        """Why the run stops after this state's epoch; None when it goes on."""
        settings, loss = self.settings, state.val_loss
        above, below = settings.diverged_above, settings.satisfied_below
        if loss is not None and above is not None and loss > above:
            return reasons.diverged(loss, above)
        if state.epoch < settings.min_epochs:
            return None
        if loss is not None and below is not None and loss < below:
            return reasons.satisfied(loss, below)
        return self._why_rule_stops(state)

    def _shown(self, state: RuleState) -> RuleState:
        """The state with all that the journal shows of this rule filled in."""
        rule, before, best = self.settings.rule, state.stopping, state.stopping.best_loss
        looks = rule == "gl" or state.strips.at_end  # else the last strip's measure stays
        stopping = replace(
            before,
            patience=self.settings.patience if rule == "patience" else 0,
            target=None if best is None else _finite(self._target(best)),
            rule=rule,
            measure=_finite(self._measure(state)) if looks else before.measure,
            limit=limit(self.settings),
        )
        return replace(state, stopping=stopping)

    def _bests(self, before: Stopping, epoch: int, loss: float | None) -> Stopping:
        """Both bests after an epoch: the one that counts, and the strict minimum."""
        after = replace(before, epochs_since_best=before.epochs_since_best + 1)
        if loss is None:
            return after
        if before.lowest_loss is None or loss < before.lowest_loss:
            after = replace(after, lowest_loss=loss, lowest_epoch=epoch)
        if self._improves(before, loss):
            after = replace(after, best_loss=loss, best_epoch=epoch, epochs_since_best=0)
        return after

    def _improves(self, before: Stopping, loss: float) -> bool:
        return before.best_loss is None or loss < self._target(before.best_loss)

    def _target(self, best_loss: float) -> float:
        """What a loss has to be below to improve on the best one."""
        # a share of its size: best * (1 - min_delta) would lie above a negative best
        size = abs(best_loss) if self.settings.min_delta_mode == "relative" else 1.0
        return best_loss - self.settings.min_delta * size

    def _measure(self, state: RuleState) -> float | None:
        lowest_loss = state.stopping.lowest_loss
        return measure(self.settings.rule, state.strips, state.val_loss, lowest_loss)

    def _why_rule_stops(self, state: RuleState) -> str | None:
        settings, stopping = self.settings, state.stopping
        if settings.rule == "patience":
            if not 0 < settings.patience <= stopping.epochs_since_best:
                return None
            best_loss = stopping.best_loss
            target = None if best_loss is None else self._target(best_loss)
            return reasons.out_of_patience(settings, stopping, target)
        measured = self._measure(state)
        if measured is None:
            return None
        if settings.rule == "up":
            risen = measured >= settings.strips
            return reasons.risen(measured, state.strips.length) if risen else None
        if measured <= settings.alpha:
            return None
        return reasons.above_alpha(settings, stopping, measured, state.val_loss)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
