"""Early stopping as a pure state machine, which can be replayed on any journal.

The state is what every `epoch_completed` record carries; a rule makes the next state from it.
"""

import math
from dataclasses import dataclass

from .events import Stopping


@dataclass(frozen=True)
class Patience:
    """Stop as soon as `patience` epochs in a row brought no improvement; 0: never.

    An epoch improves when its loss is below the best so far by more than `min_delta`. A loss
    that is not finite never improves. The strict minimum, whose weights are kept, is tracked
    beside it whatever `min_delta` is.
    """

    patience: int
    min_delta: float = 0.0

    def start(self) -> Stopping:
        """The state before the first epoch."""
        return Stopping(
            best_loss=None,
            best_epoch=None,
            epochs_since_best=0,
            patience=self.patience,
            target=None,
            lowest_loss=None,
            lowest_epoch=None,
        )

    def update(self, state: Stopping, epoch: int, loss: float) -> Stopping:
        """The state after an epoch with this validation loss."""
        finite = math.isfinite(loss)
        improved = finite and (state.target is None or loss < state.target)
        lowest = finite and (state.lowest_loss is None or loss < state.lowest_loss)
        best_loss = loss if improved else state.best_loss
        return Stopping(
            best_loss=best_loss,
            best_epoch=epoch if improved else state.best_epoch,
            epochs_since_best=0 if improved else state.epochs_since_best + 1,
            patience=self.patience,
            target=None if best_loss is None else best_loss - self.min_delta,
            lowest_loss=loss if lowest else state.lowest_loss,
            lowest_epoch=epoch if lowest else state.lowest_epoch,
        )

    def is_exhausted(self, state: Stopping) -> bool:
        """Whether the run stops now."""
        return 0 < self.patience <= state.epochs_since_best
