"""Messages from the follower's thread to the app."""

from collections.abc import Sequence

from textual.message import Message

from ...core.run.directory import Run
from ...core.run.status import RunStatus
from .epoch_block import Arrival


class RecordsArrived(Message):
    """These records have been read since the last message, in the order of the journal.

    Args:
        run: whose they are.
        events: the records; of a long journal, epochs that follow each other as blocks.
        loading: the share of the journal that has been read so far; None once all of it has.
        starts_over: the journal is another one than before, so all that it told is void.
    """

    def __init__(
        self,
        run: Run,
        events: Sequence[Arrival],
        *,
        loading: float | None = None,
        starts_over: bool = False,
    ) -> None:
        super().__init__()
        self.run = run
        self.events = events
        self.loading = loading
        self.starts_over = starts_over


class StatusChanged(Message):
    """The run is in another state now."""

    def __init__(self, run: Run, status: RunStatus) -> None:
        super().__init__()
        self.run = run
        self.status = status
