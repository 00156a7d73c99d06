"""What a contestant reports of its epochs."""

import time
from collections.abc import Iterable

import msgspec
import torch

# Epochs at the start that do not count.
WARM_UP_EPOCHS = 2


class Measurement(msgspec.Struct, frozen=True):
    """One training of one contestant, on how many of torch's threads."""

    milliseconds_an_epoch: float
    threads: int
    train_losses: tuple[float, ...]
    val_losses: tuple[float, ...]

    def largest_difference(self, other: "Measurement") -> float:
        """The largest relative difference between the losses of the same epoch."""
        return max(
            *_differences(self.train_losses, other.train_losses),
            *_differences(self.val_losses, other.val_losses),
        )


class EpochLog:
    """When each epoch ended, and its losses."""

    def __init__(self) -> None:
        self._ends: list[float] = []
        self._train_losses: list[float] = []
        self._val_losses: list[float] = []

    def end_epoch(self, train_loss: float, val_loss: float) -> None:
        """An epoch is complete: learnt, validated, and judged by early stopping."""
        self._ends.append(time.perf_counter())
        self._train_losses.append(float(train_loss))  # some report numpy's numbers
        self._val_losses.append(float(val_loss))

    def measurement(self) -> Measurement:
        """The mean time of an epoch after the first ones, and the losses of all."""
        counted = self._ends[WARM_UP_EPOCHS - 1 :]
        seconds = (counted[-1] - counted[0]) / (len(counted) - 1)
        return Measurement(
            seconds * 1000,
            torch.get_num_threads(),
            tuple(self._train_losses),
            tuple(self._val_losses),
        )


def _differences(own: Iterable[float], others: Iterable[float]) -> Iterable[float]:
    return (abs(one - other) / abs(other) for one, other in zip(own, others, strict=True))
