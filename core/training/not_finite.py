"""Losses that are no finite number: which was the first, and how a run goes back behind it."""

import copy
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from ..events import RunResumed

if TYPE_CHECKING:
    from .trainer import Trainer


def first_not_finite(losses: Iterable[float], denominators: Iterable[float]) -> int | None:
    """The place of the first batch that counts and whose loss is no number; None if all are."""
    for index, (loss, denominator) in enumerate(zip(losses, denominators, strict=True)):
        if denominator != 0 and not math.isfinite(loss):
            return index
    return None


def finite_or_none(value: float | Tensor | None) -> float | None:
    """A number as the journal holds it."""
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None


def spell(value: float) -> Literal["nan", "inf", "-inf"]:
    """What a loss was that is no number."""
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"


def remember_good_state(trainer: "Trainer") -> None:
    """Keep a copy of everything, if a loss that is no number is to lead back to it."""
    if trainer.settings.train.on_not_finite == "go_back":
        trainer.good_state = copy.deepcopy(trainer.state())


def go_back(trainer: "Trainer") -> bool:
    """Go on from the last epoch whose losses were numbers, with a smaller learning rate.

    Returns:
        False where the settings do not want it, or not another time.
    """
    bad, times = trainer.not_finite, trainer.times_gone_back + 1
    settings = trainer.settings.train
    if bad is None or trainer.good_state is None or times > settings.go_back_times:
        return False
    trainer.load_state(copy.deepcopy(trainer.good_state))
    trainer.times_gone_back, trainer.not_finite = times, None
    trainer.history = [record for record in trainer.history if record.epoch <= trainer.epoch]
    message = (
        f"went back to epoch {trainer.epoch}, for the {bad.which} loss was {bad.value} at step "
        f"{bad.step} ({times} of at most {settings.go_back_times} times)"
    )
    stopping = trainer.rule_state.stopping if trainer.epoch else None
    trainer.on_event(
        RunResumed(epoch=trainer.epoch, step=trainer.step, message=message, stopping=stopping)
    )
    trainer.change("optim.lr", trainer.settings.optim.lr * settings.go_back_factor, "go_back")
    remember_good_state(trainer)
    return True
