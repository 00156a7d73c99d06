"""What each command does. Torch, the screen and printing are loaded by those that need them."""

import shutil
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...core.engine.launch import launch
from ...core.engine.resume import plan_resumption
from ...core.errors import NothingLeftError, RunError
from ...core.events import Event, RunResumed, SettingChanged, Warned
from ...core.run.control import Unpause
from ...core.run.directory import Run, create_run, find_run
from ...core.run.status import run_status, summarise
from ...core.settings.declaration import Settings
from ..asking.resumption import NotResumed, Resumption, how_to_train_more
from ..following.reading import read_state
from ..following.verdicts import verdict_json, verdict_of
from ..words import wording
from ..words.event_wording import event_text
from . import listing, output, requests
from .misreading import warn_of_misread
from .screen import ScreenOptions, open_screen
from .starting import wait_until_begun

if TYPE_CHECKING:
    from ...core.engine.engine import Outcome
    from .printing import Printer

# How a run ends as it should.
_ENDED_WELL = ("completed", "early_stopped", "stopped")


def demo(runs: Path, screen: ScreenOptions) -> int:
    """Start the default run and open the screen on it; without a terminal train and print."""
    if not output.can_open_screen():
        return train(Settings(), runs, None, as_json=False)
    run = create_run(runs, Settings())
    launch(run)
    return open_screen(runs, run, screen)


def train(settings: Settings, runs: Path, name: str | None, *, as_json: bool) -> int:
    """Train in this process and print what happens; the run's exit code."""
    from ...core.engine.process import train_here
    from .printing import LinePrinter, print_json

    def printer_of(run: Run) -> "Printer":
        return print_json if as_json else LinePrinter(run)

    with output.stdout_kept_for_json() if as_json else nullcontext():
        return _exit_code(train_here(settings, runs, name, printer_of))


def start(settings: Settings, runs: Path, name: str | None) -> int:
    """Start a detached run, wait until it trains, and print its directory.

    Wrong data leave nothing behind.
    """
    run = create_run(runs, settings, name)
    engine = launch(run)
    try:
        code = wait_until_begun(run, engine)
    except KeyboardInterrupt:
        output.warn(f"{run.name} goes on; to stop it: epochtop stop {run.name}")
        raise
    if code == 0:
        output.write_line(str(run.path))
    elif code == 2:
        shutil.rmtree(run.path)  # nothing began, and the message has said why
    return code


def resume(
    text: str, runs: Path, overrides: Iterable[str], *, background: bool, as_json: bool
) -> int:
    """Go on with a run from its last checkpoint, or with a live one that is paused."""
    run = find_run(text, runs)
    status = run_status(run)
    if status.is_live and listing.is_paused(run):
        return requests.request(text, runs, *requests.changes_of(overrides, "--set"), Unpause())
    if status.is_live:
        raise RunError(f"run {run.name} is {wording.status_text(status)} already")
    if background:
        return _resume_in_background(run, overrides)
    return _resume_here(run, overrides, as_json=as_json)


def watch(text: str | None, runs: Path, screen: ScreenOptions) -> int:
    """Open the screen on a run, or print it as it goes on; then 1 when it did not end well."""
    run = find_run(text, runs) if text else listing.newest_run(runs)
    if output.can_open_screen():
        return open_screen(runs, run, screen)
    from .printing import LinePrinter, follow_lines

    status = follow_lines(run, LinePrinter(run))
    return 0 if status.reason in _ENDED_WELL else 1


def list_runs(runs: Path, *, as_json: bool) -> int:
    """Print all runs."""
    summaries = listing.summarise_runs(runs)
    if as_json:
        _print_value([listing.as_json(summary) for summary in summaries])
        return 0
    if not summaries:
        output.write_line(f"No runs in {runs}. Start one: epochtop demo")
    for line in listing.table_lines(summaries):
        output.write_line(line)
    return 0


def show(text: str, runs: Path, *, as_json: bool) -> int:
    """Print one run."""
    from .printing import print_summary

    run = find_run(text, runs)
    summary, state = summarise(run), read_state(run)
    if as_json:
        verdict = verdict_json(verdict_of(state))
        _print_value(listing.as_json(summary) | {"verdict": verdict})
    else:
        output.write_line(f"run {run.path}")
        print_summary(run, state, summary.status)
    warn_of_misread(run, state)
    return 0


def whatif(text: str, runs: Path, said: Mapping[str, Sequence[str]], *, as_json: bool) -> int:
    """Print what other stopping rules would have made of a run."""
    from . import whatif as replaying

    run = find_run(text, runs)
    state = read_state(run)
    code = replaying.whatif(run, state, said, as_json=as_json)
    warn_of_misread(run, state)
    return code


def _resume_here(run: Run, overrides: Iterable[str], *, as_json: bool) -> int:
    """Go on in this process and print what happens; the run's exit code."""
    from ...core.engine.process import resume_here
    from .printing import LinePrinter, print_json

    def printer_of(run: Run) -> "Printer":
        return print_json if as_json else LinePrinter(run, read_state(run))

    try:
        with output.stdout_kept_for_json() if as_json else nullcontext():
            return _exit_code(resume_here(run, overrides, printer_of))
    except NothingLeftError as error:
        return _nothing_left(run, str(error))


def _resume_in_background(run: Run, overrides: Iterable[str]) -> int:
    """Go on in a process of its own; return once it trains, and say what it goes on with."""
    plan_resumption(run, overrides)  # says at once what is wrong
    resumption = Resumption(run, overrides)
    try:
        news = resumption.wait()
    except KeyboardInterrupt:
        output.warn(f"{run.name} goes on; to stop it: epochtop stop {run.name}")
        raise
    match news:
        case NotResumed(exit_code=0):
            return _nothing_left(run, news.message)
        case NotResumed():
            output.warn(f"epochtop: {news.message}")
            return news.exit_code
        case None:
            output.write_line(f"{run.name}: the engine has not answered yet")
        case _:
            _print_resumption(run, news)
    return 0


def _print_resumption(run: Run, events: Iterable[Event]) -> None:
    """Say from where the run goes on, and what is changed in it."""
    for event in events:
        if isinstance(event, RunResumed | SettingChanged | Warned):
            output.write_line(f"{run.name}: {event_text(event)}")


def _nothing_left(run: Run, message: str) -> int:
    """Say how a run that has trained all it should goes on; for a script that is no error."""
    output.warn(f"{message}\n{how_to_train_more(run)}")
    return 0


def _exit_code(outcome: "Outcome | signal.Signals") -> int:
    return 128 + outcome if isinstance(outcome, signal.Signals) else outcome.exit_code


def _print_value(value: object) -> None:
    output.write_json(msgspec.json.format(msgspec.json.encode(value), indent=2))
