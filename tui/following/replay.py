"""A run's history through other stopping rules, as far as it is there."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator

import msgspec

from ...core.settings.declaration import StoppingSettings
from ...core.stopping.rules import EpochLosses
from ...core.stopping.whatif import Outcome, WhatIf, each_once, rule_of, usual_rules, what_if
from .history import History
from .state import RunState

LETTERS = string.ascii_lowercase + string.ascii_uppercase


class Replay(msgspec.Struct, frozen=True):
    """What the rules would have done, and which of them is the run's own; None: not known."""

    found: WhatIf
    own: StoppingSettings | None

    @property
    def lettered(self) -> Iterator[tuple[str, Outcome]]:
        """The outcomes with the letters by which the curve marks them, as far as there are any."""
        for index, outcome in enumerate(self.found.outcomes):
            yield LETTERS[index : index + 1], outcome

    @property
    def stops(self) -> tuple[tuple[int, str], ...]:
        """The epochs at which rules would have stopped, with their letters."""
        return tuple(
            (outcome.stop_epoch, letter)
            for letter, outcome in self.lettered
            if outcome.stop_epoch is not None and letter
        )

    def is_own(self, outcome: Outcome) -> bool:
        """Whether an outcome is that of the run's own rule."""
        return outcome.rule is self.own


def replay(
    state: RunState,
    choose: Callable[[StoppingSettings | None], Iterable[StoppingSettings]] = usual_rules,
) -> Replay:
    """Replay a run under its own rule, as it is now, and under others.

    Args:
        state: the run.
        choose: makes the other rules from the run's own.
    """
    own = rule_of(state.settings)
    completed = state.finished is not None and state.finished.reason == "completed"
    rules = each_once(own, choose(own))
    return Replay(what_if(losses_of(state.history), rules, has_all_epochs=completed), own)


def losses_of(history: History) -> list[EpochLosses]:
    """The epochs that stand, as a rule sees them."""
    columns = (history.epochs, history.column("train_loss"), history.column("val_loss"))
    return [EpochLosses(*each) for each in zip(*(c.tolist() for c in columns), strict=True)]
