"""The program's entry: `epochtop` alone opens the screen at once, all else is a command line."""

import sys
from typing import Any

from ..core.errors import EpochtopError
from .commands import output


def main() -> None:
    """Run the command line and exit."""
    output.prepare_streams()
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command; the exit code. What a person can put right is one message on stderr."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130
    except EpochtopError as error:
        output.warn(f"epochtop: {error}")
        return 2
    except OSError as error:
        output.warn(f"epochtop: {error.filename or 'the system'}: {error.strerror or error}")
        return 1
    except Exception as error:  # noqa: BLE001 - a mistake of ours; nobody shall have to read it
        output.warn(f"epochtop: a mistake of the program: {_keep_traceback(error)}")
        return 1


def _run(arguments: list[str]) -> int:
    if not arguments and output.can_open_screen():
        from .commands.screen import ScreenOptions, open_screen, runs_said_by_environment

        return open_screen(runs_said_by_environment(), None, ScreenOptions())
    from .commands import command_line  # whose parser costs as much as a pane

    return command_line.run(arguments)


def _keep_traceback(error: Exception) -> str:
    """Save a traceback for a bug report; the error and where the traceback is."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="epochtop-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    return f"{type(error).__name__}: {error} (traceback in {file.name})"


def __getattr__(name: str) -> Any:
    if name == "cli":
        from .commands.command_line import cli

        return cli
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
