"""The app on a screen in memory, fed by journals that the tests write."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual import events
from textual._compositor import LayoutUpdate
from textual.app import SystemCommand
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from epochtop.core import Run, resolve_settings
from epochtop.core.engine.resume import has_begun
from epochtop.core.events import Event, RunResumed
from epochtop.core.run.directory import create_run
from epochtop.core.run.status import EngineProcess, engine_process, write_engine_process
from epochtop.core.settings.fields import setting_field
from epochtop.tui.app import EpochtopApp
from epochtop.tui.look.preferences import PreferencesFile
from epochtop.tui.screens.main_screen import MainScreen
from epochtop.tui.terminal.terminal import Terminal
from epochtop.tui.widgets.event_log import EventLog
from epochtop.tui.widgets.help_line import HelpLine
from epochtop.tui.widgets.loss_curve import LossCurve
from epochtop.tui.widgets.settings_form import SettingsForm
from epochtop.tui.widgets.status_line import StatusLine
from epochtop.tui.widgets.stopping_pane import StoppingPane

from ..records import started_record, write_journal
from ..waiting import LIMIT_SECONDS

# Not the pilot's own pause: it waits for an idle processor, which one that others use never is.
_SECONDS_BETWEEN_LOOKS = 0.01
WIDE, MEDIUM, NARROW = (120, 36), (80, 24), (40, 12)
Size = tuple[int, int]


class OpenApp:
    """What a person in front of the app does: read its panes and press keys."""

    def __init__(self, app: EpochtopApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        return self.app.get_default_screen()

    @property
    def form(self) -> SettingsForm:
        return self.main.form

    @property
    def status_line(self) -> str:
        return self.main.query_one(StatusLine).text

    @property
    def stopping_line(self) -> str:
        return self.main.query_one(StoppingPane).text

    @property
    def curve(self) -> str:
        """The curve's picture, or the sentence in its place."""
        return self.main.query_one(LossCurve).text

    @property
    def curve_title(self) -> str:
        """The legend over the curve."""
        return self.curve.split("\n")[0]

    @property
    def log(self) -> str:
        """All lines of the event log as one, however they were wrapped."""
        return " ".join(self.main.query_one(EventLog).plain_lines)

    @property
    def panes(self) -> set[str]:
        """The names of the panes that are on the screen."""
        kinds: tuple[type[Widget], ...] = (SettingsForm, LossCurve, StoppingPane, EventLog)
        return {kind.__name__ for kind in kinds if self.main.query_one(kind).region.area}

    @property
    def picture(self) -> str:
        """The whole screen as it is drawn, dialogs and all."""
        app = self.app
        update = app.screen._compositor.render_update(  # noqa: SLF001 - as Textual's screenshots do
            full=True,
            screen_stack=app._background_screens,  # noqa: SLF001
        )
        assert isinstance(update, LayoutUpdate)
        lines = ("".join(strip.text for strip in line) for line in update.strips)
        return "\n".join(line.rstrip() for line in lines)

    @property
    def at(self) -> str:
        """The setting, or the fold, that the form's cursor is on."""
        return self.form.lines.line.key

    @property
    def help(self) -> str:
        """What is explained below the form."""
        return self.main.query_one(HelpLine).text

    def text(self, path: str) -> str:
        """What the form shows for a setting."""
        return self.form.sheet.shown.texts[path]

    def sign(self, path: str) -> str:
        """What the form says of a setting besides its value."""
        return self.form.sheet.sign(setting_field(path))

    def problem(self, path: str) -> str:
        """What is said below a row; empty when nothing is."""
        return self.form.sheet.problems.get(path, "")

    def is_typing_into(self, path: str) -> bool:
        """Whether what is typed goes into a setting's field of text."""
        return self.at == path and isinstance(self.app.focused, Input)

    def is_enabled(self, button: str) -> bool:
        return not self.main.query_one(f"#{button}").disabled

    def press(self, *keys: str) -> None:
        """Type keys ahead in one burst, without waiting for what they do."""
        for key in keys:
            character = " " if key == "space" else key if len(key) == 1 else None
            self.app.post_message(events.Key(key, character))

    def commands(self) -> list[SystemCommand]:
        """What the command palette lists."""
        return list(self.app.get_system_commands(self.app.screen))

    async def type_into(self, path: str, text: str) -> None:
        """Go to a field of text and replace what is in it."""
        await self.go_to_setting(path)
        assert self.is_typing_into(path)
        self.press("end", "ctrl+u", *text)
        await self.until(lambda: self.text(path) == text, f'"{text}" in {path}')

    async def go_to_setting(self, path: str) -> None:
        """Put the form's cursor on a setting."""
        self.main.set_focus(self.form.go_to(path))
        await self.until(lambda: self.at == path, f"the cursor on {path}")

    async def go_to(self, widget: Widget) -> None:
        widget.focus()
        await self.until(lambda: self.app.focused is widget, f"the focus on {widget}")

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Let the app work until this is so."""
        deadline = time.monotonic() + LIMIT_SECONDS / 3
        while not condition():
            late = time.monotonic() > deadline
            assert not late, f"it did not come: {what}\n{self.picture}\n{self.log}"
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    async def until_log(self, *texts: str) -> None:
        """Let the app work until its log tells all of these."""
        await self.until(lambda: all(text in self.log for text in texts), f"{texts} in the log")

    async def until_status(self, *texts: str) -> None:
        """Let the app work until its status line holds all of these."""
        await self.until(
            lambda: all(text in self.status_line for text in texts), f"{texts} in the status line"
        )

    async def until_problem(self, path: str, start: str) -> None:
        """Let the app work until what is said below a row begins so."""
        await self.until(lambda: self.problem(path).startswith(start), f"{path}: {start}")

    async def until_panes(self, panes: set[str], after: str) -> None:
        """Let the app work until these panes and no others are on the screen."""
        await self.until(lambda: self.panes == panes, f"{panes} after {after}")

    async def until_exit(self) -> None:
        """Let the app work until it ends."""
        deadline = time.monotonic() + LIMIT_SECONDS / 3
        while self.app.return_code is None:
            assert time.monotonic() < deadline, f"it did not end\n{self.picture}\n{self.log}"
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


@asynccontextmanager
async def open_app(
    runs: Path,
    run: Run | None = None,
    size: Size = WIDE,
    terminal: Terminal = Terminal(),  # noqa: B008 - it is frozen
    preferences: PreferencesFile | None = None,
) -> AsyncIterator[OpenApp]:
    """The app, ready for its first key."""
    app = EpochtopApp(runs, run, terminal, preferences)
    async with app.run_test(size=size) as pilot:
        yield OpenApp(app, pilot)
        app.exit()  # as a person leaves; the pilot's own end takes the screen from under the keys
        while app.is_running:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


class FakeEngines:
    """In the place of `launch`: notes each run and has this very process be a new one's engine.

    A run that has begun goes on when the test says so, unless its engine `refuses` with a message
    and an exit code.
    """

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.refuses: tuple[str, int] | None = None

    def launch(self, run: Run, overrides: Iterable[str] = ()) -> Any:
        del overrides
        self.runs.append(run)
        if not has_begun(run):
            write_engine_process(run, engine_process())
            write_journal(run, started_record(run=run.name))
        elif self.refuses is not None:
            message, code = self.refuses
            run.log_path.write_text(f"some warning\nepochtop: {message}\n")
            return FakeEngine(code)
        return FakeEngine(None)

    def go_on(self, run: Run, epoch: int) -> None:
        """Have this process go on with a run."""
        write_engine_process(run, engine_process())
        write_journal(run, RunResumed(epoch=epoch, message="restored last.pt", pid=7))


@dataclass(frozen=True)
class FakeEngine:
    """A process as far as the app looks at it."""

    code: int | None

    def poll(self) -> int | None:
        return self.code


def finished_run(
    runs: Path, *records: Event, overrides: tuple[str, ...] = (), name: str | None = None
) -> Run:
    """A run whose engine is gone and has left these records."""
    run = create_run(runs, resolve_settings(overrides=overrides), name)
    gone = EngineProcess(pid=os.getpid(), process_started=0.0, host=engine_process().host)
    write_engine_process(run, gone)
    write_journal(run, *records)
    return run


def live_run(runs: Path, *records: Event, overrides: tuple[str, ...] = ()) -> Run:
    """A run whose engine is this process and has written these records so far."""
    run = create_run(runs, resolve_settings(overrides=overrides))
    write_engine_process(run, engine_process())
    write_journal(run, *records)
    return run
