"""A new engine for a run that has begun, and what it says until the run goes on."""

import time
from collections.abc import Iterable

import msgspec

from ...core.engine.launch import launch
from ...core.events import Event, RunResumed
from ...core.run.directory import Run
from ...core.run.journal import JournalReader

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_TO_BEGIN = 120.0


class NotResumed(msgspec.Struct, frozen=True):
    """Why an engine did not go on with a run, in its own words, and its exit code.

    The code 0 means that nothing is left to train.
    """

    message: str
    exit_code: int


class Resumption:
    """A new engine for a run that has begun, and what it says until the run goes on.

    Args:
        run: no engine trains it.
        overrides: `section.key=value` of settings that may change.

    Raises:
        OSError: the engine cannot be started.
    """

    def __init__(self, run: Run, overrides: Iterable[str] = ()) -> None:
        self.run = run
        self._records = JournalReader(run.journal_path, from_end=True)
        self._log_began = run.log_path.stat().st_size if run.log_path.exists() else 0
        self.engine = launch(run, overrides)

    def look(self) -> list[Event] | NotResumed | None:
        """The records from the resumption on, or why there is none; None as long as it loads."""
        code = self.engine.poll()
        events = self._records.read()
        first = next((i for i, event in enumerate(events) if isinstance(event, RunResumed)), None)
        if first is not None:
            return events[first:]
        return None if code is None else NotResumed(self._last_words(), code if code >= 0 else 1)

    def wait(self) -> list[Event] | NotResumed | None:
        """The same once there is something; None from an engine that goes on loading for long."""
        deadline = time.monotonic() + _SECONDS_TO_BEGIN
        while (news := self.look()) is None and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        if isinstance(news, list):
            time.sleep(_SECONDS_BETWEEN_LOOKS)  # what it warns of and changes follows at once
            news += self._records.read()
        return news

    def _last_words(self) -> str:
        """The last line that the engine has written."""
        with self.run.log_path.open("rb") as log:
            log.seek(self._log_began)
            lines = log.read().decode(errors="backslashreplace").split("\n")
        said = [line for line in lines if line.strip()]
        return said[-1].removeprefix("epochtop: ") if said else "the engine ended at once"


def how_to_train_more(run: Run) -> str:
    """What to type when a run is to be gone on with that has trained all it should."""
    more = f"epochtop resume {run.name} --set train.epochs=N"
    return f"to go on: {more}, or after an early stop --set stopping.patience=N"
