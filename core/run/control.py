"""Commands from a screen or a shell to a live engine: a small file each.

A file is written under another name first and then renamed, so that the engine never reads
half a command; the engine removes it once it has acted on it. Each is answered in the journal.
"""

import math
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from ..events import StopWhen
from .directory import Run


class Stop(msgspec.Struct, frozen=True, tag_field="command", tag="stop"):
    """End the run after the epoch, or at the next step; answered by `stop_requested`."""

    when: StopWhen = "epoch"


class Pause(msgspec.Struct, frozen=True, tag_field="command", tag="pause"):
    """Stand still before the next step; answered by `paused`."""


class Unpause(msgspec.Struct, frozen=True, tag_field="command", tag="unpause"):
    """Go on after a pause; answered by `resumed`."""


class SaveCheckpoint(msgspec.Struct, frozen=True, tag_field="command", tag="checkpoint"):
    """Write the checkpoints now; answered by `checkpoint_saved`."""


class Change(msgspec.Struct, frozen=True, tag_field="command", tag="change"):
    """Give a live setting, by its dotted name, another value; answered by `setting_changed`."""

    setting: str
    value: Any


Command = Stop | Pause | Unpause | SaveCheckpoint | Change
_decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def send_command(run: Run, command: Command) -> Path:
    """Leave a command for the engine of a run.

    Returns:
        The file, which is gone once the engine has taken it.

    Raises:
        OSError: the run's directory cannot be written.
    """
    run.control_path.mkdir(exist_ok=True)
    name = f"{time.time_ns()}-{os.getpid()}"
    unfinished = run.control_path / f".{name}.tmp"
    unfinished.write_bytes(msgspec.json.encode(command))
    return unfinished.replace(run.control_path / f"{name}.json")


def take_commands(run: Run, *, before: float = math.inf) -> Iterator[Command | str]:
    """Read and remove the commands that wait, oldest first, each only when it is asked for.

    A file that holds no command comes back as the sentence that says so.

    Args:
        run: whose they are.
        before: leave those that were sent at this Unix time or later.
    """
    for path in sorted(_waiting(run.control_path)):
        if _time_sent(path) >= before:
            continue
        command = _read(path)
        with suppress(OSError):  # gone already, or the disk is away for a moment
            path.unlink()
        yield command


def waiting_commands(run: Run) -> list[tuple[str, str]]:
    """The commands that wait, oldest first: each file's name and what is asked for; none is taken.

    What holds no command is left out.
    """
    read = ((path.name, _read(path)) for path in sorted(_waiting(run.control_path)))
    return [(name, _name_of(command)) for name, command in read if not isinstance(command, str)]


def _name_of(command: Command) -> str:
    if isinstance(command, Change):
        return f"change {command.setting}"
    return str(command.__struct_config__.tag)


def _waiting(directory: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(directory) if _is_command(entry)]
    except OSError:  # nothing is asked as long as it cannot be read
        return []


def _time_sent(path: Path) -> float:
    """When a command was sent, in Unix seconds; 0 for a file that somebody else put there."""
    nanoseconds = path.name.partition("-")[0]
    return int(nanoseconds) / 1e9 if nanoseconds.isdecimal() else 0.0


def _is_command(entry: "os.DirEntry[str]") -> bool:
    return entry.name.endswith(".json") and not entry.name.startswith(".") and entry.is_file()


def _read(path: Path) -> Command | str:
    try:
        return _decoder.decode(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OSError) as error:
        return f"control/{path.name}: no command: {error}"
