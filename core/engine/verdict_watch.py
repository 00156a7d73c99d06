"""Judges a run's curves while it trains, and tells when the verdict is another one."""

import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..events import EpochCompleted, Event, RunResumed, RunStarted, VerdictChanged
from ..verdict import FEWEST_EPOCHS

if TYPE_CHECKING:
    from ..verdict.judge import Verdict

# A look costs what some hundred updates of a small model do: at most this share of the training.
_SHARE = 0.0025
# What is said once and taken back at the next look tells nobody anything.
EPOCHS_TO_LAST, _SHARE_TO_LAST = 3, 0.02


class VerdictWatch:
    """Hears a run's records in the journal's order.

    A look takes longer the more epochs there are, and there are fewer of them then. A new verdict
    is told once it has lasted for some epochs; divergence at once.

    Args:
        tell: takes the records that say of another verdict.
    """

    def __init__(self, tell: Callable[[VerdictChanged], object]) -> None:
        self._tell = tell
        self._epochs: list[tuple[int, float, float]] = []
        self._compared: list[EpochCompleted] = []
        self._started: RunStarted | None = None
        self._told: str | None = None
        self._seen: tuple[str, int] = ("", 0)
        self._next_look = 0.0
        self._has_given_up = False

    def remember(self, records: Iterable[Event]) -> None:
        """Take in what the journal of a run that goes on says already."""
        for record in records:
            self._note(record)

    def hear(self, record: Event) -> None:
        """Take in a record; after an epoch perhaps look, and tell."""
        self._note(record)
        if not isinstance(record, EpochCompleted) or len(self._epochs) < FEWEST_EPOCHS:
            return
        if self._has_given_up or time.perf_counter() < self._next_look:
            return
        _load()
        began = time.perf_counter()
        self._look()
        ended = time.perf_counter()
        self._next_look = ended + (ended - began) / _SHARE

    def conclude(self) -> None:
        """Look at the end of the training and tell what is found, the same as before or not."""
        if self._epochs and not self._has_given_up:
            self._say(self._judged())

    def give_up(self) -> None:
        """Judge no more: what has failed once would fail after each epoch."""
        self._has_given_up = True

    def _note(self, record: Event) -> None:
        match record:
            case RunStarted():
                self._started = record
            case EpochCompleted():
                self._epochs.append(_row_of(record))
                if record.val_change is not None or record.unlearnt_share is not None:
                    self._compared.append(record)
            case RunResumed():
                self._epochs = [row for row in self._epochs if row[0] <= record.epoch]
                self._compared = [each for each in self._compared if each.epoch <= record.epoch]
            case VerdictChanged():
                self._told = record.verdict

    def _look(self) -> None:
        verdict = self._judged()
        if verdict.name == self._told:
            self._seen = ("", 0)
            return
        epoch = self._epochs[-1][0]
        if self._seen[0] != verdict.name:
            self._seen = (verdict.name, epoch)
        lasted = epoch - self._seen[1]
        if verdict.name == "diverging" or lasted >= max(EPOCHS_TO_LAST, _SHARE_TO_LAST * epoch):
            self._say(verdict)

    def _say(self, verdict: "Verdict") -> None:
        self._told = verdict.name
        self._tell(verdict.as_record())

    def _judged(self) -> "Verdict":
        import numpy as np

        from ..verdict.curves import Curves, rows_compared, yardsticks_of
        from ..verdict.judge import judge

        epochs, *columns = zip(*self._epochs, strict=True)
        train, val = (np.array(column, np.float64) for column in columns)
        return judge(
            Curves(
                epochs=np.array(epochs, np.int64),
                train=train,
                val=val,
                yardsticks=yardsticks_of(self._started),
                rows=rows_compared(self._compared),
            )
        )


def _row_of(record: EpochCompleted) -> tuple[int, float, float]:
    like_for_like = record.train_loss_eval
    train = record.train_loss if like_for_like is None else like_for_like
    return (record.epoch, _number(train), _number(record.val_loss))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _load() -> None:
    """Load what judges, which the first look would take for what a look costs."""
    from ..verdict.chances import model

    model()
