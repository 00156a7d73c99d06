"""What each command does. Torch and the screen are loaded by the commands that need them."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec

from ..core.control import Stop, send_command
from ..core.events import RunFinished, RunStarted, StopRequested
from ..core.journal import JournalReader, read_first
from ..core.launch import launch
from ..core.run import Run, create_run, find_run
from ..core.settings import Settings
from ..core.status import run_status, summarise
from . import listing, output, wording
from .printing import LinePrinter, Printer, follow_lines, print_json, print_summary
from .state import RunState, reduce

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_TO_BEGIN = 120.0
_SECONDS_TO_ANSWER = 10.0


def open_screen(runs: Path, run: Run | None = None) -> int:
    """Open the app, on a run or ready to start one."""
    from .app import EpochtopApp

    app = EpochtopApp(runs, run)
    app.run()
    for line in app.farewell():
        output.write_line(line)
    return app.return_code or 0


def demo(runs: Path) -> int:
    """Start the default run and open the screen on it; without a terminal train and print."""
    if not output.can_open_screen():
        return train(Settings(), runs, None, as_json=False)
    run = create_run(runs, Settings())
    launch(run)
    return open_screen(runs, run)


def train(settings: Settings, runs: Path, name: str | None, *, as_json: bool) -> int:
    """Train in this process and print what happens; the run's exit code."""
    from ..core.engine import train_here

    def printer_of(run: Run) -> Printer:
        return print_json if as_json else LinePrinter(run)

    outcome = train_here(settings, runs, name, printer_of)
    return 128 + outcome if isinstance(outcome, signal.Signals) else outcome.exit_code


def start(settings: Settings, runs: Path, name: str | None) -> int:
    """Start a detached run, wait until it trains, and print its directory.

    Wrong data leave nothing behind.
    """
    run = create_run(runs, settings, name)
    engine = launch(run)
    try:
        code = _wait_until_begun(run, engine)
    except KeyboardInterrupt:
        output.warn(f"{run.name} goes on; to stop it: epochtop stop {run.name}")
        raise
    if code == 0:
        output.write_line(str(run.path))
    elif code == 2:
        shutil.rmtree(run.path)  # nothing began, and the message has said why
    return code


def watch(text: str | None, runs: Path) -> int:
    """Open the screen on a run, or print it as it goes on."""
    run = find_run(text, runs) if text else listing.newest_run(runs)
    if output.can_open_screen():
        return open_screen(runs, run)
    follow_lines(run, LinePrinter(run))
    return 0


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
    run = find_run(text, runs)
    summary = summarise(run)
    if as_json:
        _print_value(listing.as_json(summary))
        return 0
    output.write_line(f"run {run.path}")
    state = reduce(RunState(), JournalReader(run.journal_path).read())
    print_summary(run, state, summary.status)
    return 0


def stop(text: str, runs: Path, *, now: bool) -> int:
    """Ask a live run to stop, and wait for its engine's answer."""
    run = find_run(text, runs)
    status = run_status(run)
    if not status.is_live:
        output.warn(f"epochtop: run {run.name} is not live: {wording.status_text(status)}")
        return 2
    answers = JournalReader(run.journal_path, from_end=True)
    send_command(run, Stop("now" if now else "epoch"))
    output.write_line(f"{run.name}: {_wait_for_answer(run, answers)}")
    return 0


def _wait_until_begun(run: Run, engine: "subprocess.Popen[bytes]") -> int:
    """Exit code 0 once the run trains, or goes on loading for long; else the engine's own."""
    deadline = time.monotonic() + _SECONDS_TO_BEGIN
    while time.monotonic() < deadline:
        if isinstance(read_first(run.journal_path), RunStarted):
            return 0
        if (code := engine.poll()) is not None:
            output.warn(f"epochtop: {_why_it_ended(run)}")
            return code if code > 0 else 1
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return 0


def _why_it_ended(run: Run) -> str:
    finished = summarise(run).finished
    return finished.message if finished else f"the engine ended at once; see {run.log_path}"


def _wait_for_answer(run: Run, answers: JournalReader) -> str:
    """What the engine says to a request, in words."""
    deadline = time.monotonic() + _SECONDS_TO_ANSWER
    while time.monotonic() < deadline:
        was_live = run_status(run).is_live
        for event in answers.read():
            if isinstance(event, StopRequested | RunFinished):
                return wording.event_text(event) or ""
        if not was_live:
            return "the engine ended before it answered"
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return "the engine has not answered yet; it will as soon as it trains"


def _print_value(value: object) -> None:
    output.write_json(msgspec.json.format(msgspec.json.encode(value), indent=2))
