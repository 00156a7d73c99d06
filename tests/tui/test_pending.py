"""Requests to an engine, from the key that is pressed to the record that answers it."""

from pathlib import Path

import pytest

from epochtop.core.events import (
    CheckpointSaved,
    Event,
    Paused,
    Resumed,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.core.run.control import Change, Command, Pause, SaveCheckpoint, Stop, Unpause
from epochtop.tui.asking.pending import Pending, newly_late, still_pending, with_late
from tests.records import epoch_record, finished_record

SAVED = CheckpointSaved(kind="last", epoch=1, path="last.pt", bytes=1, seconds=0.1, by="request")


def pending(command: Command, sent: float = 100.0) -> Pending:
    return Pending(command, sent, Path(f"{type(command).__name__}.json"))


@pytest.mark.parametrize(
    ("command", "answer", "doing"),
    [
        (Pause(), Paused(epoch=1, step=1), "pausing"),
        (Unpause(), Resumed(epoch=1, step=1), "going on"),
        (Stop("epoch"), StopRequested(when="epoch"), "stopping after the epoch"),
        (Stop("now"), StopRequested(when="now"), "stopping now"),
        (SaveCheckpoint(), SAVED, "saving"),
        (
            Change("optim.lr", 0.1),
            SettingChanged(setting="optim.lr", before=0.2, after=0.1, by="request"),
            "changing optim.lr",
        ),
    ],
)
def test_a_request_is_pending_until_its_own_record_comes(
    command: Command, answer: Event, doing: str
) -> None:
    asked = pending(command)
    assert asked.doing == doing
    assert asked.asked.startswith("asking the engine ")
    assert still_pending([asked], [epoch_record(1)], [True]) == (asked,)
    assert still_pending([asked], [epoch_record(1), answer], [True]) == ()


def test_an_answer_leaves_the_other_requests_pending() -> None:
    pause, save = pending(Pause()), pending(SaveCheckpoint())
    assert still_pending([pause, save], [SAVED], [True, True]) == (pause,)


def test_a_warning_answers_only_what_the_engine_has_taken() -> None:
    save = pending(SaveCheckpoint())
    assert still_pending([save], [Warned(message="no")], [False]) == (save,)
    assert still_pending([save], [Warned(message="no")], [True]) == ()


def test_the_end_of_the_run_answers_everything() -> None:
    asked = [pending(Pause()), pending(Stop())]
    assert still_pending(asked, [finished_record()], [False, False]) == ()


def test_a_request_is_late_once_and_after_ten_seconds() -> None:
    asked = pending(Pause(), sent=100.0)
    assert newly_late([asked], now=109.0) == ()
    assert newly_late([asked], now=111.0) == (asked,)
    (late,) = with_late([asked], [asked])
    assert late.is_late
    assert newly_late([late], now=112.0) == ()
