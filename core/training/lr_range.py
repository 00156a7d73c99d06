"""The learning-rate range test: a good rate to train with, from one short training.

Each step takes a larger rate than the one before. While the rate is too small the loss stands
still; then it falls; at last it rises or explodes (Smith 2017, "Cyclical learning rates for
training neural networks", section 3.3). The rates grow exponentially. The suggestion is where the
loss falls most steeply over the rate's logarithm, but at most a tenth of the rate where it is
lowest: the smaller one of what fastai's `lr_find` calls `steep` and `minimum`.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..batches.source import Batch
from ..errors import DataError, EpochtopError
from ..loss.loss_sum import LossSum, read_from_device
from ..seeds import generators_now, restore_generators
from .lr_curve import DIVERGED, Ending, LrCurve, find_fall
from .progress import EpochProgress

if TYPE_CHECKING:
    from .trainer import Trainer

# Told of each step, counted from 1, and its rate before it is taken.
OnStep = Callable[[int, float], None]


@dataclass(frozen=True)
class LrRange:
    """What a range test measured, an item a step, and what follows from it.

    Attributes:
        rates: the learning rates that were tried.
        losses: the train loss that each rate's step began with, so that it shows what the rates
            before it did.
        smoothed: the same as a moving average, nan where the loss was not finite.
        suggestion: the rate to train with; None where no rate lowers the loss by more than its
            batches differ.
        steepest_at: the rate where the loss falls most steeply, None as above.
        lowest_at: the rate of the lowest smoothed loss, None as above.
        ending: why the test ended.
        message: the same in words.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float | None
    steepest_at: float | None
    lowest_at: float | None
    ending: Ending
    message: str


def find_lr(
    trainer: "Trainer",
    lowest: float = 1e-7,
    highest: float = 10.0,
    steps: int = 100,
    on_step: OnStep = lambda _step, _rate: None,
) -> LrRange:
    """Try growing learning rates, one a step, until the loss diverges.

    The steps are the trainer's own, on its training batches, epoch after epoch if need be.
    Afterwards model, optimiser, schedule and random generators are as they were.

    Args:
        trainer: usually one that has not trained yet.
        lowest: the first rate.
        highest: the last rate.
        steps: how many rates there are, each the same factor larger than the one before.
        on_step: is told of each step.

    Raises:
        EpochtopError: the rates do not rise from above 0, the steps are not from 10 to 10,000, or
            no target counts in the loss.
    """
    rates = growing_rates(lowest, highest, steps)
    with _left_as_it_was(trainer):
        curve = _try(trainer, rates, on_step)
    tried = rates[: len(curve.losses)]
    fall = find_fall(curve, steps_a_decade=round(1 / math.log10(rates[1] / rates[0])))
    return LrRange(
        rates=tuple(tried),
        losses=tuple(curve.losses),
        smoothed=tuple(curve.smoothed),
        suggestion=tried[fall.suggested] if fall else None,
        steepest_at=tried[fall.steepest] if fall else None,
        lowest_at=tried[fall.lowest] if fall else None,
        ending=curve.ending,
        message=_why_ended(curve, tried[-1]),
    )


def growing_rates(lowest: float, highest: float, steps: int) -> list[float]:
    """Rates from the lowest to the highest, each the same factor larger than the one before.

    Raises:
        EpochtopError: they do not rise from above 0, or the steps are not from 10 to 10,000.
    """
    if not 0 < lowest < math.inf:
        raise EpochtopError(f"lowest: found {lowest}; allowed: a learning rate above 0")
    if not lowest < highest < math.inf:
        raise EpochtopError(f"highest: found {highest}; allowed: above the lowest rate, {lowest}")
    if not 10 <= steps <= 10_000:
        raise EpochtopError(f"steps: found {steps}; allowed: from 10 to 10,000")
    return [float(rate) for rate in np.geomspace(lowest, highest, steps)]


def _try(trainer: "Trainer", rates: Sequence[float], on_step: OnStep) -> LrCurve:
    """Train with each rate for a step, until all are tried or the curve ends."""
    step = _StepsOfATest(trainer, rates, on_step)
    trainer.take_step = step
    with suppress(_TestEndedError):
        for epoch in itertools.count(trainer.epoch + 1):
            num_before = len(step.curve.losses)
            trainer.progress = EpochProgress()
            trainer.train_epoch(epoch)
            if len(step.curve.losses) == num_before:
                raise DataError("train: found no target that counts in the loss; allowed: some")
    return step.curve


class _TestEndedError(Exception):
    """There is no rate left to try, or no use in trying it."""


class _StepsOfATest:
    """The trainer's own step, each time with the next rate."""

    def __init__(self, trainer: "Trainer", rates: Sequence[float], on_step: OnStep) -> None:
        self.curve = LrCurve(len(rates))
        self._trainer = trainer
        self._take_step = trainer.take_step
        self._rates = rates
        self._on_step = on_step

    @property
    def scaler(self) -> torch.amp.GradScaler | None:
        """The own step's."""
        return self._take_step.scaler

    def __call__(self, batches: Sequence[Batch], losses: LossSum) -> Tensor | None:
        """Learn from the batches; the rate is tried again if nothing in them counts."""
        del losses  # of an epoch, which the test does not report
        step = len(self.curve.losses)
        self._on_step(step + 1, self._rates[step])
        for group in self._trainer.optimizer.param_groups:
            group["lr"] = self._rates[step]  # whatever the schedule has put there
        own = LossSum()
        norm = self._take_step(batches, own)
        read_from_device(own)
        if any(own.denominators):
            self.curve.add(own.mean(self._trainer.accounting))
        if self.curve.ending != "completed" or len(self.curve.losses) == len(self._rates):
            raise _TestEndedError
        return norm


@contextmanager
def _left_as_it_was(trainer: "Trainer") -> Iterator[None]:
    """Put back whatever training changes."""
    state, take_step = copy.deepcopy(trainer.state()), trainer.take_step
    modes = [(module, module.training) for module in trainer.model.modules()]
    generators = generators_now(trainer.device)
    try:
        yield
    finally:
        trainer.take_step = take_step
        trainer.load_state(state)
        trainer.optimizer.zero_grad()
        for module, mode in modes:
            module.training = mode
        restore_generators(generators, trainer.device)


def _why_ended(curve: LrCurve, rate: float) -> str:
    match curve.ending:
        case "completed":
            return f"all {len(curve.losses)} rates were tried"
        case "diverged":
            return f"the loss was more than {DIVERGED:g} times its lowest at {rate:.3g}"
        case "not_finite":
            return f"the loss was {curve.losses[-1]} at {rate:.3g}"
