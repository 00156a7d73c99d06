"""What a journal has that is new, a long one part after part."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...core.run.journal import JournalReader
from .epoch_block import Arrival
from .gathering import Gathering

# Of a long journal the first part is shown early. Each further picture delays the whole one, so
# the longer it has taken the longer is the time to the next, up to one that still looks alive.
_SECONDS_TO_FIRST_PART = 0.15
_SECONDS_BETWEEN_PARTS = 0.6
_MOST_SECONDS_BETWEEN_PARTS = 1.0
_SHARE_BETWEEN_PARTS = 0.5


@dataclass(frozen=True)
class Part:
    """Records, and the share of the journal that has been read with them; None for all of it."""

    arrivals: list[Arrival]
    loading: float | None


def seconds_to_next(passed: float) -> float:
    """How long to wait for the next part when reading has taken so many seconds."""
    if not passed:
        return _SECONDS_TO_FIRST_PART
    wait = max(_SECONDS_BETWEEN_PARTS, _SHARE_BETWEEN_PARTS * passed)
    return min(_MOST_SECONDS_BETWEEN_PARTS, wait)


def new_parts(reader: JournalReader, is_wanted: Callable[[], bool]) -> Iterator[Part]:
    """All that was added since the last time, as long as it is wanted; nothing if nothing was."""
    gathering, is_loading = Gathering(), False
    began = time.monotonic()
    due = began + seconds_to_next(0.0)
    for events in reader.chunks():
        if not is_wanted():
            return
        gathering.add(events)
        if (now := time.monotonic()) >= due:
            yield Part(gathering.take(), reader.share)
            is_loading = True
            due = now + seconds_to_next(now - began)
    if gathering or is_loading:
        yield Part(gathering.take(), None)
