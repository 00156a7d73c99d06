"""Commands from a screen or a shell to a live engine: a small file each.

A file is written under another name first and then renamed, so that the engine never reads
half a command; the engine removes it once it has acted on it.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from .events import StopWhen
from .run import Run


class Stop(msgspec.Struct, frozen=True, tag_field="command", tag="stop"):
    """End the run after the epoch, or at the next step."""

    when: StopWhen = "epoch"


Command = Stop


def send_command(run: Run, command: Command) -> None:
    """Leave a command for the engine of a run.

    Raises:
        OSError: the run's directory cannot be written.
    """
    run.control_path.mkdir(exist_ok=True)
    name = f"{time.time_ns()}-{os.getpid()}"
    unfinished = run.control_path / f".{name}.tmp"
    unfinished.write_bytes(msgspec.json.encode(command))
    unfinished.replace(run.control_path / f"{name}.json")


def take_commands(run: Run) -> list[Command | str]:
    """Read and remove the commands that wait, oldest first.

    A file that holds no command comes back as the sentence that says so.
    """
    taken: list[Command | str] = []
    for path in sorted(_waiting(run.control_path)):
        taken.append(_read(path))
        with suppress(OSError):  # gone already, or the disk is away for a moment
            path.unlink()
    return taken


def _waiting(directory: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(directory) if _is_command(entry)]
    except OSError:  # nothing is asked as long as it cannot be read
        return []


def _is_command(entry: "os.DirEntry[str]") -> bool:
    return entry.name.endswith(".json") and not entry.name.startswith(".") and entry.is_file()


def _read(path: Path) -> Command | str:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Command)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OSError) as error:
        return f"control/{path.name}: no command: {error}"
