"""What somebody outside may want of a training, which the trainer asks for between its steps."""

from collections.abc import Callable
from dataclasses import dataclass

from ..events import FinishReason, StopWhen


@dataclass(frozen=True)
class Interrupt:
    """When a run shall end, and what its last record is to say."""

    when: StopWhen
    reason: FinishReason
    message: str


# Asked between any two steps, and between two batches of an evaluation. It may change the
# trainer's settings and save its state meanwhile, and take as long as it likes: a pause.
BetweenSteps = Callable[[], Interrupt | None]


class InterruptedEpochError(Exception):
    """Somebody asked to stop at the next step; the epoch does not count yet."""

    def __init__(self, interrupt: Interrupt) -> None:
        super().__init__(interrupt.message)
        self.interrupt = interrupt
