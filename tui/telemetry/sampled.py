"""The message from the sampler's thread to the app."""

from textual.message import Message

from ...core.run.directory import Run
from .telemetry import Telemetry


class TelemetrySampled(Message):
    """The machine was looked at, while a run trains on it."""

    def __init__(self, run: Run, telemetry: Telemetry) -> None:
        super().__init__()
        self.run = run
        self.telemetry = telemetry
