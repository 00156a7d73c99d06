"""A wish to end a run, which the trainer asks for before each step."""

from dataclasses import dataclass

from .events import FinishReason, StopWhen


@dataclass(frozen=True)
class Interrupt:
    """When a run shall end, and what its last record is to say."""

    when: StopWhen
    reason: FinishReason
    message: str
