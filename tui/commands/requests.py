"""What is asked of a live run: a command for its engine, whose answer stands in the journal."""

import time
from collections.abc import Iterable
from pathlib import Path

from ...core.errors import RunError
from ...core.events import RequestSeen
from ...core.run.control import (
    Change,
    Command,
    Stop,
    send_command,
)
from ...core.run.directory import Run, find_run
from ...core.run.journal import JournalReader
from ...core.run.status import run_status
from ...core.settings.toml_file import parse_overrides
from ...core.training.setting_changes import check_live
from ..asking.answers import SECONDS_TO_ANSWER, Answer, answer_to
from ..words.wording import status_text
from . import output

_SECONDS_BETWEEN_LOOKS = 0.05


def request(text: str, runs: Path, *commands: Command) -> int:
    """Ask a live run's engine for something, and print its answers.

    Returns:
        Exit code 1 when something was not done.

    Raises:
        RunError: the run is not live, or no engine trains it.
    """
    run = find_run(text, runs)
    status = run_status(run)
    if not status.is_live:
        raise RunError(f"run {run.name} is not live: {status_text(status)}")
    if status.is_foreign:
        raise RunError(f"run {run.name}: a program of its own trains it and takes no requests")
    answers = [_ask_and_say(run, command) for command in commands]
    return 0 if all(answer.is_done for answer in answers) else 1


def changes_of(items: Iterable[str], said_by: str) -> list[Change]:
    """The commands that `section.key=value` items stand for.

    Args:
        items: of settings that may change while a run is live.
        said_by: what a message about one that cannot be read names beside it.

    Raises:
        SettingsError: a setting is none, is fixed, or does not take the value.
    """
    wanted = parse_overrides(items, said_by)
    return [Change(setting, check_live(setting, value)) for setting, value in wanted.items()]


def ask(run: Run, command: Command) -> Answer:
    """Leave a live engine a command and wait for its answer.

    Raises:
        OSError: the run's directory cannot be written.
    """
    records = JournalReader(run.journal_path, from_end=True)
    file = send_command(run, command)
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    is_seen = False
    while time.monotonic() < deadline:
        was_live = run_status(run).is_live
        events = records.read()
        is_taken = not file.exists()
        answers = [answer_to(command, event, is_taken=is_taken) for event in events]
        if answer := next(filter(None, answers), None):
            return answer
        is_seen = is_seen or any(isinstance(event, RequestSeen) for event in events)
        if not was_live:
            return Answer("the engine ended before it answered", isinstance(command, Stop))
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    if is_seen:
        return Answer("the engine has seen it, and does it when the running step has ended")
    return Answer("the engine has not answered yet; it will as soon as it trains")


def _ask_and_say(run: Run, command: Command) -> Answer:
    answer = ask(run, command)
    say = output.write_line if answer.is_done else output.warn
    say(f"{run.name}: {answer.text}")
    return answer
