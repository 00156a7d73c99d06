"""Records that wait for the next message, the epochs of a long journal among them in blocks."""

from collections.abc import Sequence
from itertools import groupby
from typing import cast

from msgspec.structs import replace

from ...core.events import EpochCompleted, Event
from .epoch_block import RECORDS_KEPT, Arrival, EpochBlock

# Fewer epochs in a row are told of one by one, which costs little then.
_FEWEST_IN_A_BLOCK = 128


class Gathering:
    """Takes records in the order of the journal and gives them back in that order, once.

    Args:
        fewest_in_a_block: fewer epochs that come in a row are given back one by one.
    """

    def __init__(self, *, fewest_in_a_block: int = _FEWEST_IN_A_BLOCK) -> None:
        self._fewest_in_a_block = fewest_in_a_block
        self._arrivals: list[Arrival] = []
        self._blocks: list[EpochBlock] = []

    def __bool__(self) -> bool:
        return bool(self._arrivals or self._blocks)

    @property
    def num_epochs(self) -> int:
        """How many epochs wait in the block that has not ended."""
        return sum(map(len, self._blocks))

    def add(self, events: Sequence[Event]) -> None:
        """Note more records."""
        if len(events) >= self._fewest_in_a_block and set(map(type, events)) == {EpochCompleted}:
            self._add_epochs(cast("Sequence[EpochCompleted]", events))  # as in a long journal
            return
        for kind, group in groupby(events, type):
            records = list(group)
            enough = len(records) >= self._fewest_in_a_block or self._blocks
            if kind is EpochCompleted and enough:
                self._add_epochs(cast("Sequence[EpochCompleted]", records))
            else:
                self._end_block()
                self._arrivals += records

    def take(self) -> list[Arrival]:
        """All that has been noted since the last time."""
        self._end_block()
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def _add_epochs(self, records: Sequence[EpochCompleted]) -> None:
        """Note one more block, whose last records are later than those of the one before."""
        block = EpochBlock.of(records)
        if not block.rises:  # the epochs that stand are found one by one
            self._end_block()
            self._arrivals += records
            return
        if self._blocks and self._blocks[-1].epochs[-1] >= block.epochs[0]:
            self._end_block()
        if self._blocks and len(block.recent) == RECORDS_KEPT:
            self._blocks[-1] = replace(self._blocks[-1], recent=())
        self._blocks.append(block)

    def _end_block(self) -> None:
        if self._blocks:
            self._arrivals.append(EpochBlock.joined(self._blocks))
            self._blocks = []
