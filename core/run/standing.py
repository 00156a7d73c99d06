"""What of a journal still stands: a run that went back has epochs twice, the first ones void."""

from collections.abc import Iterable

from ..events import EpochCompleted, Event, RunResumed


def standing_epochs(records: Iterable[Event]) -> list[EpochCompleted]:
    """The epochs that stand, in the journal's order.

    A `RunResumed` voids the epochs before it that come after the one it went on from.
    """
    epochs: list[EpochCompleted] = []
    for record in records:
        if isinstance(record, EpochCompleted):
            epochs.append(record)
        elif isinstance(record, RunResumed):
            epochs = [epoch for epoch in epochs if epoch.epoch <= record.epoch]
    return epochs
