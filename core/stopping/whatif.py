"""What other stopping rules would have made of a recorded run: pure, over its losses alone.

A recording tells of a rule that stops within it. One that does not could only be judged by epochs
that nobody has trained, unless the run had all of its epochs: then such a rule changes nothing.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import msgspec
from msgspec.structs import replace

from ..settings.declaration import StoppingSettings
from .rules import EarlyStopping, EpochLosses, RuleState

_PATIENCES = (3, 5, 10, 20)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would have done; epochs are numbered as the recording numbers them.

    Attributes:
        rule: the settings that were replayed.
        stop_epoch: where it would have stopped; None: not within the recording.
        why: the rule's own words for it.
        best_loss: the lowest validation loss up to there; None without a finite one.
        best_epoch: the epoch of that loss, whose weights would have been kept.
        epochs_saved: the recorded epochs after the stop.
        regret: `best_loss` less the lowest one of the whole recording, never below 0; None for
            a rule that the recording cannot judge, and without a finite loss.
        relative_regret: that as a share of the lowest one's size; None also where this is 0.
    """

    rule: StoppingSettings
    stop_epoch: int | None
    why: str | None
    best_loss: float | None
    best_epoch: int | None
    epochs_saved: int
    regret: float | None
    relative_regret: float | None


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """Several rules over one recording, in the order in which they were asked for.

    `is_numbered_anew` says that the recording leaves epochs out, repeats some or does not begin
    with 1: a rule then counts those that are there. `has_all_epochs` says that the run would
    have ended where it did whatever the rule.
    """

    num_epochs: int
    last_epoch: int | None
    best_loss: float | None
    best_epoch: int | None
    is_numbered_anew: bool
    has_all_epochs: bool
    outcomes: tuple[Outcome, ...]

    @property
    def best(self) -> Outcome | None:
        """Of those that can be judged the one that loses least, then the one that saves most."""
        judged = [each for each in self.outcomes if each.regret is not None]
        return min(judged, key=lambda each: (each.regret, -each.epochs_saved), default=None)


def what_if(
    history: Sequence[EpochLosses],
    rules: Iterable[StoppingSettings],
    *,
    has_all_epochs: bool = False,
) -> WhatIf:
    """Replay a history through rules.

    Args:
        history: the epochs that stand, in their order; losses may be nan or infinite.
        rules: the settings to replay it under.
        has_all_epochs: whether the run has trained all the epochs that it was to train.
    """
    finite = [(each.val_loss, each.epoch) for each in history if math.isfinite(each.val_loss)]
    best_loss, best_epoch = min(finite, key=lambda best: best[0], default=(None, None))
    numbered = [_numbered(each, index) for index, each in enumerate(history, 1)]
    return WhatIf(
        num_epochs=len(history),
        last_epoch=history[-1].epoch if history else None,
        best_loss=best_loss,
        best_epoch=best_epoch,
        is_numbered_anew=any(new is not old for new, old in zip(numbered, history, strict=True)),
        has_all_epochs=has_all_epochs,
        outcomes=tuple(
            _outcome(rule, history, numbered, best_loss, has_all_epochs=has_all_epochs)
            for rule in rules
        ),
    )


def rule_of(settings: dict[str, Any]) -> StoppingSettings | None:
    """The rule in a journal's settings; None in a journal that does not say."""
    try:
        return msgspec.convert(settings["stopping"], StoppingSettings)
    except (KeyError, msgspec.ValidationError):
        return None


def usual_rules(own: StoppingSettings | None) -> list[StoppingSettings]:
    """Patience short and long, and Prechelt's rules as they are by default.

    They differ from the run's own rule in nothing else, such as `min_delta` and `min_epochs`.
    """
    base, default = own or StoppingSettings(), StoppingSettings()
    patient = [replace(base, rule="patience", patience=patience) for patience in _PATIENCES]
    limits = {"alpha": default.alpha, "strips": default.strips}
    limits["strip_epochs"] = default.strip_epochs
    return [*patient, *(replace(base, rule=rule, **limits) for rule in ("gl", "pq", "up"))]


def each_once(
    own: StoppingSettings | None, others: Iterable[StoppingSettings]
) -> list[StoppingSettings]:
    """The run's own rule first, then those that do otherwise than the ones before them."""
    once: dict[tuple[Any, ...], StoppingSettings] = {}
    for rule in (*([own] if own else []), *others):
        once.setdefault(_deciding(rule), rule)
    return list(once.values())


def varied(
    rules: Iterable[StoppingSettings], min_deltas: Sequence[float], min_epochs: Sequence[int]
) -> list[StoppingSettings]:
    """Each rule with each of these values, as it is where there are none."""
    return [
        replace(rule, min_delta=delta, min_epochs=epochs)
        for rule in rules
        for delta, epochs in product(
            min_deltas or (rule.min_delta,), min_epochs or (rule.min_epochs,)
        )
    ]


def _deciding(rule: StoppingSettings) -> tuple[Any, ...]:
    """What decides where a rule stops."""
    counts = rule.patience > 0  # without patience it does not matter what an improvement is
    by_rule: dict[str, tuple[Any, ...]] = {
        "patience": (rule.patience, counts and (rule.min_delta, rule.min_delta_mode)),
        "gl": (rule.alpha,),
        "pq": (rule.alpha, rule.strip_epochs),
        "up": (rule.strips, rule.strip_epochs),
    }
    limits = rule.min_epochs, rule.satisfied_below, rule.diverged_above
    return (rule.rule, *by_rule[rule.rule], *limits)


def _numbered(losses: EpochLosses, epoch: int) -> EpochLosses:
    """The same losses under another number; themselves where it is theirs."""
    if losses.epoch == epoch:
        return losses
    return EpochLosses(epoch, losses.train_loss, losses.val_loss)


def _outcome(
    rule: StoppingSettings,
    history: Sequence[EpochLosses],
    numbered: Sequence[EpochLosses],
    lowest: float | None,
    *,
    has_all_epochs: bool,
) -> Outcome:
    state, why = _replayed(EarlyStopping(rule), numbered, history)
    best_loss, best = state.stopping.lowest_loss, state.stopping.lowest_epoch
    regret = None
    if best_loss is not None and lowest is not None and (why or has_all_epochs):
        regret = best_loss - lowest
    return Outcome(
        rule=rule,
        stop_epoch=history[state.epoch - 1].epoch if why else None,
        why=why,
        best_loss=best_loss,
        best_epoch=None if best is None else history[best - 1].epoch,
        epochs_saved=len(history) - state.epoch,
        regret=regret,
        relative_regret=regret / abs(lowest) if regret is not None and lowest else None,
    )


def _replayed(
    rule: EarlyStopping, numbered: Sequence[EpochLosses], history: Sequence[EpochLosses]
) -> tuple[RuleState, str | None]:
    """The state where the rule stops and why, by the recording's numbers, or the last one."""
    state = rule.start()
    for state in rule.replay(numbered):
        if rule.why_stop(state):
            return state, rule.why_stop(_with_recorded_bests(state, history))
    return state, None


def _with_recorded_bests(state: RuleState, history: Sequence[EpochLosses]) -> RuleState:
    """The same state with its best epochs as the recording numbers them."""
    best, lowest = (
        None if epoch is None else history[epoch - 1].epoch
        for epoch in (state.stopping.best_epoch, state.stopping.lowest_epoch)
    )
    return replace(state, stopping=replace(state.stopping, best_epoch=best, lowest_epoch=lowest))
