"""The way between the app and a real terminal, which may be stopped, closed or taken away.

Textual's own driver draws on stderr even where that is a file, goes round in circles when its
terminal is gone, waits for ever for one that nobody reads, starts its threads twice when somebody
stops and continues it from outside, and stops itself alone, which leaves `make demo` waiting for
it, and for ever where no shell has job control.
"""

import os
import select
import signal
import sys
from typing import Any, TextIO

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from .terminal_file import TerminalFile

_STOP, _CONTINUE = signal.SIGTSTP, signal.SIGCONT


class TerminalDriver(LinuxDriver):
    """Draws on the stream that is a terminal, and gives it back whenever it is left."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._terminal = TerminalFile(_stream_to_draw_on())
        self._file: Any = self._terminal
        self._is_away = False
        self._handle_stops()

    @property
    def is_gone(self) -> bool:
        """Whether the terminal has been closed."""
        return self._terminal.is_gone or _is_hung_up(self.fileno)

    @property
    def is_stalled(self) -> bool:
        """Whether the terminal takes nothing: nobody reads it."""
        return self._terminal.is_stalled

    def has_missed(self) -> bool:
        """Whether a terminal that stood still is read again, and all has to be drawn anew; once."""
        return self._terminal.has_missed()

    def stop_for_now(self) -> None:
        """Give the terminal back and stop, with all that the shell has started along with this.

        Where no shell waits the system lets the signal pass without a stop, and the screen is
        back at once.
        """
        if self._is_away or not self._auto_restart:
            return
        self._is_away = True
        self.suspend_application_mode()
        for each in (_STOP, _CONTINUE):
            self._loop.remove_signal_handler(each)
        os.killpg(os.getpgrp(), _STOP)
        self._handle_stops()
        self._come_back()

    def _handle_stops(self) -> None:
        """Let the loop tell of stops: as its own handlers they never cut into what is written."""
        self._loop.add_signal_handler(_STOP, self.stop_for_now)
        self._loop.add_signal_handler(_CONTINUE, self._come_back)

    def _come_back(self) -> None:
        """Take the terminal again, also after a stop that nobody could see coming."""
        if not self._auto_restart:
            return
        if not self._is_away:
            self.suspend_application_mode()
        self._is_away = False
        self._must_signal_resume = True
        self.resume_application_mode()

    def _sigtstp_application(self, *_: Any) -> None:
        """Not used: the loop handles the signal."""

    def _sigcont_application(self, *_: Any) -> None:
        """Not used, likewise."""

    def _run_input_thread(self) -> None:
        """Read keys until the terminal is gone, which is no mistake of the program."""
        try:
            self.run_input_thread()
        except OSError:
            self._terminal.is_gone = True


def _stream_to_draw_on() -> TextIO:
    """Where the terminal is: stderr as ever, or stdout when stderr goes into a file."""
    streams = [stream for stream in (sys.__stderr__, sys.__stdout__) if stream is not None]
    return next((stream for stream in streams if stream.isatty()), streams[0])


def _is_hung_up(fileno: int) -> bool:
    """Whether the other side of a terminal is closed; its own side can still be read then."""
    poll = select.poll()
    poll.register(fileno, 0)
    gone = select.POLLHUP | select.POLLERR | select.POLLNVAL
    return any(events & gone for _, events in poll.poll(0))
