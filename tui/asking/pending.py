"""What was asked of a live engine and is not answered yet. Pure.

key -> Pending -> records -> answered, and no longer pending
-> ten seconds -> late, which is said once
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ...core.events import Event
from ...core.run.control import Change, Command, Pause, SaveCheckpoint, Stop, Unpause
from ...core.settings.values import value_text
from .answers import SECONDS_TO_ANSWER, answer_to


class Pending(msgspec.Struct, frozen=True):
    """A request, when it was sent (in Unix seconds), and the file that the engine takes away."""

    command: Command
    sent: float
    file: Path
    is_late: bool = False

    @property
    def key(self) -> str:
        """Of its line in the event log."""
        return f"request {self.file.name}"

    @property
    def doing(self) -> str:
        """What the engine is about to do, in a word or two."""
        match self.command:
            case Pause():
                return "pausing"
            case Unpause():
                return "going on"
            case Stop(when="now"):
                return "stopping now"
            case Stop():
                return "stopping after the epoch"
            case SaveCheckpoint():
                return "saving"
            case Change(setting=setting):
                return f"changing {setting}"

    @property
    def asked(self) -> str:
        """The request in words, for the log."""
        match self.command:
            case Pause():
                return "asking the engine to pause ..."
            case Unpause():
                return "asking the engine to go on ..."
            case Stop(when="now"):
                return "asking the engine to stop at its next step ..."
            case Stop():
                return "asking the engine to stop after its epoch ..."
            case SaveCheckpoint():
                return "asking the engine for a checkpoint ..."
            case Change(setting=setting, value=value):
                return f"asking the engine to set {setting} to {value_text(value)} ..."


def still_pending(
    pending: Sequence[Pending], events: Iterable[Event], is_taken: Sequence[bool]
) -> tuple[Pending, ...]:
    """The requests that none of these records answers.

    Args:
        pending: what was asked for; a record answers all requests of its kind.
        events: what the journal has told since.
        is_taken: for each request whether the engine has taken its file.
    """
    told = list(events)
    return tuple(
        each
        for each, taken in zip(pending, is_taken, strict=True)
        if not any(answer_to(each.command, event, is_taken=taken) for event in told)
    )


def newly_late(pending: Iterable[Pending], now: float) -> tuple[Pending, ...]:
    """The requests that have just waited for too long."""
    return tuple(
        each for each in pending if not each.is_late and now - each.sent > SECONDS_TO_ANSWER
    )


def with_late(pending: Iterable[Pending], late: Iterable[Pending]) -> tuple[Pending, ...]:
    """The requests, with those that are late marked so."""
    names = {each.key for each in late}
    return tuple(replace(each, is_late=True) if each.key in names else each for each in pending)
