"""What a journal has that is new, a long one part after part."""

import time
from collections.abc import Callable, Iterator

import msgspec

from ...core.run.journal import JournalReader
from .epoch_block import Arrival
from .gathering import Gathering

# Of a long journal parts are handed on this often: what waits here is in memory twice, and the
# panes do not draw all that they are told.
SECONDS_BETWEEN_PARTS = 0.1


class Part(msgspec.Struct, frozen=True):
    """Records, and the share of the journal that has been read with them; None for all of it."""

    arrivals: list[Arrival]
    loading: float | None


def new_parts(reader: JournalReader, is_wanted: Callable[[], bool]) -> Iterator[Part]:
    """All that was added since the last time, as long as it is wanted; nothing if nothing was."""
    gathering, is_loading = Gathering(), False
    due = time.monotonic() + SECONDS_BETWEEN_PARTS
    for events in reader.chunks():
        if not is_wanted():
            return
        gathering.add(events)
        if (now := time.monotonic()) >= due:
            yield Part(gathering.take(), reader.share)
            is_loading = True
            due = now + SECONDS_BETWEEN_PARTS
    if gathering or is_loading:
        yield Part(gathering.take(), None)
