"""Messages from the threads of the follower and of the telemetry to the app."""

from collections.abc import Sequence

from textual.message import Message

from ..core.events import Event
from ..core.run.directory import Run
from ..core.run.status import RunStatus
from .telemetry import Telemetry


class RecordsArrived(Message):
    """The engine has written these records since the last message."""

    def __init__(self, run: Run, events: Sequence[Event]) -> None:
        super().__init__()
        self.run = run
        self.events = events


class StatusChanged(Message):
    """The run is in another state now."""

    def __init__(self, run: Run, status: RunStatus) -> None:
        super().__init__()
        self.run = run
        self.status = status


class TelemetrySampled(Message):
    """The machine was looked at, while a run trains on it."""

    def __init__(self, run: Run, telemetry: Telemetry) -> None:
        super().__init__()
        self.run = run
        self.telemetry = telemetry
