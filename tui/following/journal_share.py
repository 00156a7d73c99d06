"""The process that reads shares of a long journal and sends them in parts; see `head_start`."""

import gc
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ...core.run.journal import JournalReader
from .gathering import Gathering
from .journal_parts import Part

# What waits to be sent is in memory twice; smaller parts cost more to send.
_EPOCHS_IN_A_PART = 8_192


def send_share(journal: Path, start: int, end: int | None, pipe: BinaryIO) -> None:
    """Write a share of a journal to a pipe, each part with the reader that goes on after it.

    Only the last part is at the share's end.
    """
    reader, gathering = JournalReader(journal, start=start), Gathering()

    def send(loading: float | None) -> None:
        pickle.dump((Part(gathering.take(), loading), reader), pipe, pickle.HIGHEST_PROTOCOL)
        pipe.flush()

    for events in reader.chunks(end):
        gathering.add(events)
        if gathering.num_epochs >= _EPOCHS_IN_A_PART and reader.offset != end:
            send(reader.share)
    if gathering or reader.offset:
        send(None if end is None else reader.share)


if __name__ == "__main__":
    gc.disable()  # it would look for circles among a million records, and there are none
    with suppress(BrokenPipeError):  # nobody is there any more
        for start, _, end in (share.partition("-") for share in sys.argv[2:]):
            send_share(Path(sys.argv[1]), int(start), int(end) if end else None, sys.stdout.buffer)
