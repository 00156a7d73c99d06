"""What of a journal still stands: a run that went back has epochs twice, the first ones void."""

from collections.abc import Iterable

from ..events import EpochCompleted, Event, RunResumed
from .status import RunSummary


def standing_epochs(records: Iterable[Event]) -> list[EpochCompleted]:
    """The epochs that stand, by their numbers.

    A `RunResumed` voids the epochs before it that come after the one it went on from. A loop of
    a user's own may go back without one: an epoch voids those before it from its number on.
    """
    epochs: list[EpochCompleted] = []
    for record in records:
        if isinstance(record, EpochCompleted):
            if epochs and record.epoch <= epochs[-1].epoch:
                epochs = [epoch for epoch in epochs if epoch.epoch < record.epoch]
            epochs.append(record)
        elif isinstance(record, RunResumed):
            epochs = [epoch for epoch in epochs if epoch.epoch <= record.epoch]
    return epochs


def lowest_loss(summary: RunSummary) -> tuple[float | None, int | None]:
    """The lowest validation loss and its epoch; looked for where no rule has noted them."""
    from .journal import JournalReader  # late, as the screen's first frame reads none

    last = summary.last_epoch
    if last is None or last.stopping.is_known:
        return (last.stopping.lowest_loss, last.stopping.lowest_epoch) if last else (None, None)
    epochs = standing_epochs(JournalReader(summary.run.journal_path).read())
    found = [(each.val_loss, each.epoch) for each in epochs if each.val_loss is not None]
    return min(found, key=lambda best: best[0], default=(None, None))
