"""Opening the screen: what its commands have in common, with little to load before it."""

import gc
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..look.preferences import users_own_file
from ..terminal.terminal import Terminal, distrust_inherited_colours, look_at_terminal
from . import output

if TYPE_CHECKING:
    from ...core.run.directory import Run
    from ..following.head_start import HeadStart

DEFAULT_RUNS = "runs"


def runs_said_by_environment() -> Path:
    """Where runs live when no option says so."""
    return Path(os.environ.get("EPOCHTOP_RUNS") or DEFAULT_RUNS)


class ScreenOptions(msgspec.Struct, frozen=True):
    """What the command line says about the screen; None is what it does not say."""

    theme: str | None = None
    ascii_said: bool | None = None
    mouse: bool | None = None
    bell: bool | None = None
    notify: bool | None = None

    def terminal(self) -> Terminal:
        """How to draw on the terminal of this process."""
        distrust_inherited_colours(os.environ)
        encoding = getattr(sys.__stderr__, "encoding", None)
        return look_at_terminal(
            os.environ, encoding, ascii_said=self.ascii_said, mouse=self.mouse is not False
        )

    def to_remember(self) -> dict[str, Any]:
        """What was said that counts for the next time, too."""
        said = {"theme": self.theme, "bell": self.bell, "notify": self.notify}
        return {name: value for name, value in said.items() if value is not None}


def open_screen(runs: Path, run: "Run | None", screen: ScreenOptions) -> int:
    """Open the app, on a run or ready to start one."""
    gc.disable()  # until the first frame is there: till then hardly anything is thrown away
    head_start = _head_start(run) if run else None
    with head_start or nullcontext():
        from ..app import EpochtopApp

        preferences, terminal = users_own_file(), screen.terminal()
        if said := screen.to_remember():
            preferences.change(**said)
        app = EpochtopApp(runs, run, terminal, preferences, head_start)
        app.run(mouse=terminal.mouse)
    if app.failure is not None:
        raise app.failure
    for line in [] if app.is_unread else app.farewell():
        output.write_line(line)
    return app.return_code or 0


def _head_start(run: "Run") -> "HeadStart | None":
    from ..following.head_start import HeadStart

    return HeadStart.on_long(run.journal_path)
