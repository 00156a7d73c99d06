"""A real pseudo-terminal with a program in it, and a terminal emulator that shows its screen."""

import os
import select
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pexpect
import pyte

from ..waiting import wait_for

EPOCHTOP = [sys.executable, "-c", "from epochtop.tui.cli import main; main()"]

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "backspace": "\x7f",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f10": "\x1b[21~",
    "f5": "\x1b[15~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "ctrl+c": "\x03",
    "ctrl+p": "\x10",
    "ctrl+z": "\x1a",
}


class Terminal:
    """What a person in front of a terminal does: read the screen, press keys, resize, close."""

    def __init__(
        self,
        command: list[str],
        *,
        columns: int,
        rows: int,
        cwd: Path,
        environment: Mapping[str, str],
        ignores_hang_up: bool,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream: Any = pyte.ByteStream(self._screen)
        self.raw = b""
        self._not_shown_yet = b""
        self.process: Any = pexpect.spawn(  # Any: its types know text only, this is bytes
            command[0],
            command[1:],
            cwd=str(cwd),
            dimensions=(rows, columns),
            timeout=None,
            env=terminal_environment() | dict(environment),
            ignore_sighup=ignores_hang_up,
        )
        self.process.delaybeforesend = None

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def text(self) -> str:
        """The screen now, its lines without the blanks at their ends."""
        self.read()
        self._stream.feed(self._not_shown_yet)
        self._not_shown_yet = b""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, *texts: str) -> str:
        """Wait until all of these texts are on the screen at once; the screen then."""
        try:
            return wait_for(lambda: self._screen_with(texts), f"{texts} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None

    def press(self, *keys: str) -> None:
        """Press keys, by name or by character, one after the other without waiting."""
        for key in keys:
            self.process.send(KEYS.get(key, key))

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as dragging its window does."""
        self.text()  # what was drawn for the old size is shown at the old size
        self._screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def hang_up(self) -> None:
        """Close the terminal, as a dropped connection does."""
        self.process.ptyproc.fileobj.close()
        self.process.closed = True

    def takes_nothing(self) -> bool:
        """Whether nobody has read what was drawn for so long that no more of it finds room."""
        side_of_program = os.open(f"/proc/{self.pid}/fd/0", os.O_WRONLY | os.O_NOCTTY)
        try:
            return not select.select([], [side_of_program], [], 0)[1]
        finally:
            os.close(side_of_program)

    def wait_for_exit_unread(self) -> int:
        """The exit code of a program whose terminal nobody reads."""
        wait_for(lambda: not self.process.isalive(), "the end of the program")
        return int(self.process.exitstatus or 0)

    def wait_for_exit(self) -> int:
        """Read to the end; the exit code, negative for a signal."""
        wait_for(self._has_ended, "the end of the program")
        status, signal_number = self.process.exitstatus, self.process.signalstatus
        return int(status) if status is not None else -int(signal_number or 0)

    def _screen_with(self, texts: tuple[str, ...]) -> str | None:
        screen = self.text()
        if all(text in screen for text in texts):
            return screen
        assert self.process.isalive() or self.process.closed, f"it has ended; wanted {texts}"
        return None

    def _has_ended(self) -> bool:
        if not self.process.closed:
            self.read()
        return not self.process.isalive()

    def read(self) -> None:
        """Take what the program has drawn; one that is not read has to wait."""
        try:
            while True:
                data = self.process.read_nonblocking(1 << 16, timeout=0)
                self.raw += data
                self._not_shown_yet += data
        except (pexpect.TIMEOUT, pexpect.EOF):
            return


def terminal_environment() -> dict[str, str]:
    """A terminal's environment; a size said there would be believed instead of the terminal's."""
    inherited = {name: os.environ[name] for name in os.environ if name not in ("COLUMNS", "LINES")}
    return {**inherited, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


@contextmanager
def open_terminal(
    *arguments: str,
    columns: int,
    rows: int,
    cwd: Path,
    program: Sequence[str] = EPOCHTOP,
    environment: Mapping[str, str] = MappingProxyType({}),
    ignores_hang_up: bool = False,
) -> Iterator[Terminal]:
    """Open a terminal of this size with `epochtop ARGUMENTS` in it, or another program.

    Args:
        arguments: of the program.
        columns: of the terminal.
        rows: likewise.
        cwd: where the program runs.
        program: the command that they are for.
        environment: what is otherwise in it.
        ignores_hang_up: whether it is started as `nohup` does.
    """
    terminal = Terminal(
        [*program, *arguments],
        columns=columns,
        rows=rows,
        cwd=cwd,
        environment=environment,
        ignores_hang_up=ignores_hang_up,
    )
    try:
        yield terminal
    finally:
        terminal.process.close(force=True)
