from pathlib import Path

import pytest

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
from epochtop.core.run.directory import Run, create_run
from epochtop.core.settings.declaration import Settings


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "runs", Settings())


def test_a_command_that_was_sent_is_taken_once(run: Run) -> None:
    send_command(run, Stop("now"))
    assert list(take_commands(run)) == [Stop("now")]
    assert list(take_commands(run)) == []


@pytest.mark.parametrize(
    "command",
    [
        Pause(),
        Unpause(),
        SaveCheckpoint(),
        Change("optim.lr", 0.5),
        Change("train.epochs", 7),
        Change("stopping.min_delta", None),
    ],
)
def test_every_command_arrives_as_it_was_sent(run: Run, command: Command) -> None:
    send_command(run, command)
    assert list(take_commands(run)) == [command]


def test_a_command_says_after_the_epoch_unless_told_otherwise(run: Run) -> None:
    send_command(run, Stop())
    assert list(take_commands(run)) == [Stop("epoch")]


def test_commands_are_taken_in_the_order_in_which_they_were_sent(run: Run) -> None:
    sent: list[Command] = [Stop("epoch"), Pause(), Change("optim.lr", 0.5), Unpause(), Stop("now")]
    for command in sent:
        send_command(run, command)
    assert list(take_commands(run)) == sent


def test_taking_and_sending_leave_no_files_behind(run: Run) -> None:
    send_command(run, Stop())
    list(take_commands(run))
    assert list(run.control_path.iterdir()) == []


def test_no_commands_wait_where_there_is_no_control_directory(run: Run) -> None:
    run.control_path.rmdir()
    assert list(take_commands(run)) == []


def test_sending_makes_the_control_directory(run: Run) -> None:
    run.control_path.rmdir()
    send_command(run, Stop())
    assert list(take_commands(run)) == [Stop()]


@pytest.mark.parametrize("name", [".1.tmp", ".1.json", "1.tmp", "1.json~"])
def test_a_file_that_is_still_being_written_is_left_alone(run: Run, name: str) -> None:
    unfinished = run.control_path / name
    unfinished.write_bytes(b'{"command":"st')
    assert list(take_commands(run)) == []
    assert unfinished.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"stop",
        b"[]",
        b'{"command":"explode"}',
        b'{"command":"stop","when":"never"}',
        b'{"command":"change","value":1}',
        b'{"command":"stop","when":"\xff"}',
        b"\xff\xfe\x00",
        b'{"command":"stop","more":' + b"[" * 100_000,
    ],
    ids=[
        "empty",
        "torn",
        "text",
        "list",
        "unknown",
        "when",
        "no setting",
        "not utf-8",
        "binary",
        "too deep",
    ],
)
def test_a_file_that_is_no_command_comes_back_as_a_sentence_and_is_removed(
    run: Run, content: bytes
) -> None:
    garbage = run.control_path / "1.json"
    garbage.write_bytes(content)
    send_command(run, Stop("now"))

    sentence, command = take_commands(run)

    assert isinstance(sentence, str)
    assert sentence.startswith("control/1.json: no command: ")
    assert command == Stop("now")
    assert not garbage.exists()


def test_a_directory_among_the_commands_stops_nobody_from_taking_them(run: Run) -> None:
    (run.control_path / "1.json").mkdir()
    send_command(run, Stop("now"))
    assert Stop("now") in take_commands(run)


def test_unknown_fields_of_a_command_are_left_out(run: Run) -> None:
    (run.control_path / "1.json").write_bytes(b'{"command":"stop","when":"now","why":"x"}')
    assert list(take_commands(run)) == [Stop("now")]


def test_a_command_waits_on_the_disk_until_it_is_its_turn(run: Run) -> None:
    send_command(run, SaveCheckpoint())
    send_command(run, Pause())

    commands = take_commands(run)

    assert next(commands) == SaveCheckpoint()
    assert len(list(run.control_path.iterdir())) == 1  # a kill meanwhile loses no other
    assert list(commands) == [Pause()]
