"""Records that wait for the next message, the epochs of a long journal among them in blocks."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from ..core.events import EpochCompleted, Event
from .epoch_block import RECORDS_KEPT, Arrival, EpochBlock

# Fewer epochs in a row are told of one by one, which costs little then.
_FEWEST_IN_A_BLOCK = 128


class Gathering:
    """Takes records in the order of the journal and gives them back in that order, once."""

    def __init__(self) -> None:
        self._arrivals: list[Arrival] = []
        self._blocks: list[EpochBlock] = []

    def __bool__(self) -> bool:
        return bool(self._arrivals or self._blocks)

    def add(self, events: Sequence[Event]) -> None:
        """Note more records."""
        for is_epoch, group in groupby(events, lambda event: type(event) is EpochCompleted):
            records = list(group)
            epochs = [record for record in records if isinstance(record, EpochCompleted)]
            if is_epoch and len(epochs) >= _FEWEST_IN_A_BLOCK:
                self._add_block(EpochBlock.of(epochs))
            else:
                self._end_block()
                self._arrivals += records

    def take(self) -> list[Arrival]:
        """All that has been noted since the last time."""
        self._end_block()
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def _add_block(self, block: EpochBlock) -> None:
        """Note one more block, whose last records are later than those of the one before."""
        if self._blocks and len(block.recent) == RECORDS_KEPT:
            self._blocks[-1] = replace(self._blocks[-1], recent=())
        self._blocks.append(block)

    def _end_block(self) -> None:
        if self._blocks:
            self._arrivals.append(EpochBlock.joined(self._blocks))
            self._blocks = []
