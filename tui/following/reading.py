"""A run's state read at once, for what is printed."""

from ...core.run.directory import Run
from ...core.run.journal import JournalReader
from .state import RunState, reduce


def read_state(run: Run) -> RunState:
    """All that a run's journal tells now."""
    state = RunState()
    for events in JournalReader(run.journal_path).chunks():
        state = reduce(state, events)
    return state
