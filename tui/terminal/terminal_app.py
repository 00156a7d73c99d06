"""An app on a real terminal: drawn with what that can show, and given back whatever happens."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import TypeVar

from textual import on
from textual.driver import Driver
from textual.filter import LineFilter

from ..words.wording import printable
from .key_order import KeysInOrder
from .line_filters import AsciiOnly, WithoutColours
from .notification import notification
from .terminal import Terminal

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS_AT_TERMINAL = 0.5


class TerminalApp(KeysInOrder[T]):
    """Knows its terminal.

    Args:
        terminal: how to draw.
    """

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._drawn_on = terminal
        self._ascii_only = AsciiOnly(enabled=terminal.ascii)
        self._without_colours = WithoutColours(enabled=not terminal.coloured)

    @property
    def is_ascii(self) -> bool:
        """Whether the screen keeps to characters of ASCII."""
        return self._ascii_only.enabled

    @property
    def is_coloured(self) -> bool:
        """Whether the screen has colours."""
        return self._drawn_on.coloured

    @property
    def is_unread(self) -> bool:
        """Whether the terminal takes nothing any more, so that a word to it would wait for ever."""
        return bool(getattr(self._driver, "is_stalled", False))

    @property
    def failure(self) -> Exception | None:
        """The mistake of the program that ended the app."""
        return self._exception

    def get_driver_class(self) -> type[Driver]:
        """Ours where it runs; Textual's own where there is no such terminal."""
        if os.name == "posix" and "TEXTUAL_DRIVER" not in os.environ:
            from .terminal_driver import TerminalDriver

            return TerminalDriver
        return super().get_driver_class()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to every line, whoever has drawn it."""
        ours = [each for each in (self._without_colours, self._ascii_only) if each.enabled]
        return [*super().get_line_filters(), *ours]

    def on_load(self) -> None:
        """Give the terminal back on signals, whenever they come."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._end_on_signal, each)

    def on_mount(self) -> None:
        """Look now and then whether anybody can still see the screen."""
        self.set_interval(_SECONDS_BETWEEN_LOOKS_AT_TERMINAL, self._look_at_terminal)

    def action_toggle_ascii(self) -> None:
        """Draw in ASCII, or no longer."""
        self._ascii_only.enabled = not self._ascii_only.enabled
        self.refresh_css(animate=False)

    def action_suspend_process(self) -> None:
        """Stop until the shell's `fg`; the run goes on."""
        from .terminal_driver import TerminalDriver

        if isinstance(self._driver, TerminalDriver):
            self._driver.stop_for_now()

    def send_notification(self, text: str) -> None:
        """Have the terminal tell of something outside of the screen, where it can."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(notification(printable(text), os.environ))

    @on(Driver.SignalResume)
    def _draw_again(self) -> None:
        """Whoever had the terminal meanwhile has left nothing of the screen."""
        self.refresh(layout=True)

    def _look_at_terminal(self) -> None:
        """Leave one that is closed, and draw anew on one that is read again."""
        from .terminal_driver import TerminalDriver

        if not isinstance(self._driver, TerminalDriver):
            return
        if self._driver.is_gone:
            self.exit(return_code=128 + signal.SIGHUP)
        elif self._driver.has_missed():
            self._draw_again()

    def _end_on_signal(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    def _fatal_error(self) -> None:
        """End; the command line says in a line what happened and where the traceback is."""
        self._close_messages_no_wait()

    def _set_pointer_shape(self, shape: str) -> None:
        """Leave the mouse pointer as it is: few terminals know the sequence, and it costs bytes."""
