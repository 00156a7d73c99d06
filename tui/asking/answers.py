"""Which record of the journal answers a request to a live engine, and in which words."""

import msgspec

from ...core.events import (
    CheckpointSaved,
    Event,
    Paused,
    Resumed,
    RunFinished,
    RunResumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from ...core.run.control import Change, Command, Pause, SaveCheckpoint, Stop, Unpause
from ..words.event_wording import event_text

SECONDS_TO_ANSWER = 10.0


class Answer(msgspec.Struct, frozen=True):
    """What an engine says to a request, in words, and whether what was asked for is done.

    An engine that has not answered yet counts as one that will.
    """

    text: str
    is_done: bool = True


def answer_to(command: Command, event: Event, *, is_taken: bool) -> Answer | None:
    """What a record answers to a command, None if it is not about it.

    A warning is about a command that the engine has taken, not about one that still waits.
    """
    text = event_text(event) or ""
    match command, event:
        case (
            (Stop(), StopRequested() | RunFinished())
            | (Pause(), Paused())
            | (Unpause(), Resumed() | RunResumed())
            | (SaveCheckpoint(), CheckpointSaved(kind="last", by="request"))
        ):
            return Answer(text)
        case Change(setting=setting), SettingChanged(by="request") if setting == event.setting:
            return Answer(text)
        case _, RunFinished():
            return Answer(text, is_done=False)
        case _, Warned() if is_taken:
            return Answer(text, is_done=False)
        case _:
            return None
