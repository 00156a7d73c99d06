"""Asking a live run for something: which record of its journal is the answer."""

import time
from pathlib import Path

import pytest

from epochtop.core import Run
from epochtop.core.events import (
    CheckpointSaved,
    Event,
    Paused,
    Resumed,
    RunResumed,
    SavedBy,
    SettingChanged,
    StopRequested,
    Warned,
)
from epochtop.core.run.control import (
    Change,
    Command,
    Pause,
    SaveCheckpoint,
    Stop,
    Unpause,
    send_command,
    take_commands,
)
from epochtop.core.run.status import EngineProcess, engine_process, write_engine_process
from epochtop.tui.asking.answers import Answer
from epochtop.tui.commands import requests
from epochtop.tui.commands.requests import ask

from ..records import epoch_record, finished_record, started_record, write_journal
from .app_driver import live_run
from .conftest import InThisProcess


def saved(by: SavedBy) -> CheckpointSaved:
    return CheckpointSaved(kind="last", epoch=3, path="last.pt", bytes=2048, seconds=0.1, by=by)


def changed(setting: str) -> SettingChanged:
    return SettingChanged(setting=setting, before=1, after=2, by="request")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return live_run(tmp_path / "runs", started_record(), epoch_record(1))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What the engine writes as soon as it is asked; unlike a real one it leaves no time."""
    records: list[Event] = []

    def send_and_obey(run: Run, command: Command) -> Path:
        file = send_command(run, command)
        write_journal(run, *records)
        assert command in take_commands(run)
        return file

    monkeypatch.setattr(requests, "send_command", send_and_obey)
    return records


@pytest.mark.parametrize(
    ("command", "records", "text"),
    [
        (Stop("now"), [StopRequested(when="now")], "asked to stop at the next step"),
        (Stop("now"), [finished_record()], "completed after epoch 5: all 5 epochs are done"),
        (Pause(), [epoch_record(2), Paused(epoch=2, step=24)], "paused after epoch 2, step 24"),
        (Unpause(), [Resumed(epoch=2, step=24)], "goes on after epoch 2, step 24"),
        (Unpause(), [RunResumed(epoch=2)], "resumed after epoch 2"),
        (SaveCheckpoint(), [saved("time"), saved("request")], "saved last.pt (epoch 3, 2 KiB)"),
        (
            Change("optim.lr", 2),
            [changed("train.epochs"), changed("optim.lr")],
            "optim.lr is 2 now, was 1 (on request)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_record_that_does_what_was_asked_for_is_the_answer(
    command: Command, records: list[Event], text: str, run: Run, answers: list[Event]
) -> None:
    answers += records
    assert ask(run, command) == Answer(text)


@pytest.mark.parametrize("command", [Pause(), Unpause(), SaveCheckpoint(), Change("optim.lr", 2)])
def test_a_warning_and_the_end_say_that_it_was_not_done(
    command: Command, run: Run, answers: list[Event]
) -> None:
    answers.append(Warned(message="last.pt was not saved"))
    assert ask(run, command) == Answer("last.pt was not saved", is_done=False)
    answers[:] = [finished_record()]
    assert not ask(run, command).is_done


def test_what_was_written_before_the_request_answers_nothing(
    run: Run, answers: list[Event]
) -> None:
    write_journal(run, Paused(epoch=0, step=1), Warned(message="long ago"))
    answers.append(Paused(epoch=2, step=24))
    assert ask(run, Pause()).text == "paused after epoch 2, step 24"


def test_a_warning_while_the_request_still_waits_is_about_something_else(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([Warned(message="of another thing"), None, Paused(epoch=2, step=24)])

    def write_next(seconds: float) -> None:
        del seconds
        if event := next(looks):
            write_journal(run, event)
        else:
            list(take_commands(run))

    monkeypatch.setattr(time, "sleep", write_next)
    assert ask(run, Pause()) == Answer("paused after epoch 2, step 24")


def test_an_engine_that_does_not_answer_in_time_has_the_request_all_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "SECONDS_TO_ANSWER", 0.0)
    answer = ask(run, Pause())
    assert answer.is_done
    assert "not answered yet" in answer.text
    assert list(take_commands(run)) == [Pause()]


@pytest.mark.parametrize(("command", "is_done"), [(Stop(), True), (Pause(), False)])
def test_an_engine_that_is_gone_never_answers_and_has_stopped_at_least(
    command: Command, is_done: bool, run: Run
) -> None:
    gone = EngineProcess(pid=1, process_started=0.0, host=engine_process().host)
    write_engine_process(run, gone)
    assert ask(run, command) == Answer("the engine ended before it answered", is_done)


# As commands.


def test_an_answer_is_a_line_that_names_the_run(
    run: Run, answers: list[Event], in_this_process: InThisProcess
) -> None:
    answers.append(Paused(epoch=2, step=24))
    result = in_this_process("pause", run.name)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{run.name}: paused after epoch 2, step 24\n"


def test_what_was_not_done_is_an_error(
    run: Run, answers: list[Event], in_this_process: InThisProcess
) -> None:
    answers.append(Warned(message="last.pt was not saved: no space"))
    result = in_this_process("checkpoint", run.name)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"{run.name}: last.pt was not saved: no space\n"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (("optim.lr=0.1", "model.hidden=3"), ["model.hidden", "fixed", "optim.lr"]),
        (("optim.lr=0.1", "stopping.patience=-1"), ["stopping.patience", '"-1"', "from 0"]),
        (("optim.lr=0.1", "optim.lrr=1"), ["tune optim.lrr", "optim.lr (did you mean this?)"]),
        (("optim.lr=0.1", "optim.lr"), ["tune", '"optim.lr"', "section.key=value"]),
        ((), ["Missing argument"]),
    ],
)
def test_when_one_setting_is_wrong_nothing_is_asked_for(
    changes: tuple[str, ...], names: list[str], run: Run, in_this_process: InThisProcess
) -> None:
    result = in_this_process("tune", run.name, *changes)
    assert (result.returncode, result.stdout) == (2, "")
    assert all(name in result.stderr for name in names), result.stderr
    assert list(take_commands(run)) == []


@pytest.mark.parametrize(
    "arguments",
    [("stop",), ("stop", "--now"), ("pause",), ("checkpoint",), ("tune", "optim.lr=0.1")],
    ids=" ".join,
)
def test_only_a_live_run_can_be_asked_for_anything(
    arguments: tuple[str, ...], run: Run, in_this_process: InThisProcess
) -> None:
    write_journal(run, finished_record())
    command, *rest = arguments
    result = in_this_process(command, run.name, *rest)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"epochtop: run {run.name} is not live: completed\n"
    assert list(take_commands(run)) == []
