"""The learning rate over a run, made of torch's own schedulers.

Torch's schedulers write into the optimiser they are given and go on from what they find there.
Here the schedule and the warm-up each have an optimiser of their own, with one weight that nobody
trains, and the run's optimiser gets the product of their rates. So the two do not disturb each
other, nor does a loaded optimiser, and a new rate or length touches one number. A schedule by the
epoch begins, at the full rate, when the warm-up is over.
"""

import math
from typing import Any

import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from ..errors import SettingProblem, SettingsError
from ..settings.declaration import OptimSettings


class Schedule:
    """Sets an optimiser's learning rate as the settings say, from the first step on.

    `lr` is the rate that the schedule is about, its highest one; `epochs` the length that cosine
    and one_cycle are laid out for. `acts_on_steps` says whether `after_step` does anything, now
    and later on; a loop need not call it when it does not.

    Args:
        settings: of them `lr`, `schedule` with what belongs to it, and `warmup_epochs`.
        optimizer: whose rate is set, the same in all its groups.
        epochs: the most epochs of the run.
        steps_per_epoch: optimiser steps of an epoch; None when nobody knows before its end.

    Raises:
        SettingsError: the rate is to change by the step and `steps_per_epoch` is None.
    """

    def __init__(
        self,
        settings: OptimSettings,
        optimizer: Optimizer,
        *,
        epochs: int,
        steps_per_epoch: int | None,
    ) -> None:
        _require_countable_steps(settings, steps_per_epoch)
        self.lr = settings.lr
        self.epochs = epochs
        self._settings = settings
        self._optimizer = optimizer
        self._steps_per_epoch = steps_per_epoch or 0
        self._steps = 0
        self._epochs_done = 0
        self._scheduler = self._lay_out()
        self._warmup = _Warmup(settings.warmup_epochs * self._steps_per_epoch)
        self._apply()

    def after_step(self) -> None:
        """Count an optimiser step."""
        if not self.acts_on_steps:
            return
        self._steps += 1
        if isinstance(self._scheduler, OneCycleLR):
            _go_to(self._scheduler, self._steps)
        self._warmup.after_step()
        self._apply()

    def after_epoch(self, val_loss: float) -> None:
        """Count an epoch; a loss that is not finite is no improvement."""
        self._epochs_done += 1
        if self._epochs_done <= self._settings.warmup_epochs:
            return  # the schedule's own first epoch is the one after the warm-up
        match self._scheduler:
            case ReduceLROnPlateau() as plateau:
                plateau.step(val_loss if math.isfinite(val_loss) else math.inf)
            case StepLR() as scheduler:
                scheduler.step()
            case CosineAnnealingLR() as scheduler if self._epochs_done <= self.epochs:
                scheduler.step()  # beyond its end it would rise again
        self._apply()

    def set_lr(self, lr: float) -> None:
        """Go on as if the schedule had been about this rate from the start."""
        before, self.lr = self.lr, lr
        if isinstance(self._scheduler, OneCycleLR):
            self._scheduler = self._lay_out()
        else:
            rate = self._own.rate
            self._own.rate = lr if rate == before else rate * (lr / before)
        self._apply()

    def set_epochs(self, epochs: int) -> None:
        """Lay cosine and one_cycle out over another length, from the present position on."""
        if epochs == self.epochs:
            return
        self.epochs = epochs
        if isinstance(self._scheduler, OneCycleLR | CosineAnnealingLR):
            self._scheduler = self._lay_out()
        self._apply()

    def state_dict(self) -> dict[str, float]:
        """The state, in plain numbers."""
        state: dict[str, float] = {
            "lr": self.lr,
            "epochs": self.epochs,
            "steps": self._steps,
            "epochs_done": self._epochs_done,
            "rate": self._own.rate,
            "warmup_factor": self._warmup.factor,
        }
        if isinstance(self._scheduler, ReduceLROnPlateau):
            state |= {"best": self._scheduler.best, "bad_epochs": self._scheduler.num_bad_epochs}
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where this state was taken, to the last bit.

        `lr` and `epochs` are then the state's: `set_lr` and `set_epochs` change them afterwards.
        """
        self.lr, self.epochs = state["lr"], state["epochs"]
        self._steps, self._epochs_done = state["steps"], state["epochs_done"]
        self._scheduler = self._lay_out()
        self._own.rate = state["rate"]
        if isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.best = state["best"]
            self._scheduler.num_bad_epochs = state["bad_epochs"]
        self._warmup.go_to(self._steps, state["warmup_factor"])
        self._apply()

    def _apply(self) -> None:
        rate = self._own.rate * self._warmup.factor
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.acts_on_steps = self._warmup.is_rising or isinstance(self._scheduler, OneCycleLR)

    @property
    def _position(self) -> int:
        """The epochs done since the warm-up."""
        return max(0, self._epochs_done - self._settings.warmup_epochs)

    def _lay_out(self) -> LRScheduler | None:
        """Torch's scheduler for this rate and length, at the present position.

        The rate is that of the position where it follows from it, else still the first one.
        """
        settings = self._settings
        self._own = own = _Own(self.lr)
        match settings.schedule:
            case "constant":
                return None
            case "step":
                step = StepLR(own, settings.step_epochs, settings.schedule_factor)
                step.last_epoch = self._position
                return step
            case "cosine":
                length = max(1, self.epochs - settings.warmup_epochs)
                cosine = CosineAnnealingLR(own, T_max=length)
                cosine.last_epoch = min(self._position, length)
                share = cosine.last_epoch / length
                own.rate = self.lr * (1 + math.cos(math.pi * share)) / 2
                return cosine
            case "one_cycle":
                # the momentum is a setting, so it does not cycle
                total_steps = self.epochs * self._steps_per_epoch
                cycle = OneCycleLR(own, self.lr, total_steps, cycle_momentum=False)
                _go_to(cycle, self._steps)
                return cycle
            case "plateau":
                # any lower loss is an improvement: torch's relative threshold is wrong for
                # losses below 0, and its smallest change of a rate for small rates
                return ReduceLROnPlateau(
                    own,
                    factor=settings.schedule_factor,
                    patience=settings.schedule_patience,
                    threshold=0.0,
                    threshold_mode="abs",
                    eps=0.0,
                )


class _Own(SGD):
    """An optimiser with one weight that nobody trains, for a scheduler to write its rate into."""

    _opt_called = True  # else torch warns of a scheduler that steps before its optimiser

    def __init__(self, rate: float) -> None:
        super().__init__([torch.zeros(1, device="cpu")], lr=rate)

    @property
    def rate(self) -> float:
        return float(self.param_groups[0]["lr"])

    @rate.setter
    def rate(self, rate: float) -> None:
        self.param_groups[0]["lr"] = rate


class _Warmup:
    """A factor that rises by equal parts with each step, up to 1 after the last."""

    def __init__(self, steps: int) -> None:
        self._own = _Own(1.0)
        self._scheduler = LinearLR(self._own, start_factor=1 / (steps + 1), total_iters=steps)

    @property
    def factor(self) -> float:
        return self._own.rate

    @property
    def is_rising(self) -> bool:
        return self._scheduler.last_epoch < self._scheduler.total_iters

    def after_step(self) -> None:
        if self.is_rising:
            self._scheduler.step()
        if not self.is_rising:
            self._own.rate = 1.0  # without what rounding has left

    def go_to(self, steps: int, factor: float) -> None:
        self._scheduler.last_epoch = min(steps, self._scheduler.total_iters)
        self._own.rate = factor


def _go_to(cycle: OneCycleLR, steps: int) -> None:
    """Take the cycle's rate after so many steps, beyond its end the last one."""
    cycle.last_epoch = min(steps, cycle.total_steps - 1) - 1
    cycle.step()


def _require_countable_steps(settings: OptimSettings, steps_per_epoch: int | None) -> None:
    if steps_per_epoch is not None:
        return
    unknown = "with data whose number of batches nobody knows before an epoch's end"
    problems = []
    if settings.schedule == "one_cycle":
        allowed = f"constant, step, cosine or plateau {unknown}"
        problems.append(SettingProblem("optim.schedule", '"one_cycle"', allowed))
    if settings.warmup_epochs:
        problems.append(
            SettingProblem("optim.warmup_epochs", str(settings.warmup_epochs), f"0 {unknown}")
        )
    if problems:
        raise SettingsError(problems)
