"""The learning rate over a run, against torch's own schedulers in a plain loop."""

import io
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from epochtop.core.errors import SettingsError
from epochtop.core.optim.optimizer import learning_rate
from epochtop.core.optim.schedule import Schedule
from epochtop.core.settings.declaration import OptimSettings

LR = 0.3
EPOCHS = 12
STEPS = 7
# falls, stands still twice for three epochs, falls once more
VAL_LOSSES = [3.0, 2.0, 2.5, 2.4, 2.3, 2.2, 1.0, 1.1, 1.2, 1.3, 0.9, 0.8]
WARMUP_STEPS = 2 * STEPS

SCHEDULES = {
    "constant": OptimSettings(lr=LR),
    "step": OptimSettings(lr=LR, schedule="step", step_epochs=3, schedule_factor=0.7),
    "cosine": OptimSettings(lr=LR, schedule="cosine"),
    "one_cycle": OptimSettings(lr=LR, schedule="one_cycle"),
    "plateau": OptimSettings(lr=LR, schedule="plateau", schedule_patience=2, schedule_factor=0.4),
    "warmup": OptimSettings(lr=LR, warmup_epochs=2),
    "warmup-step": OptimSettings(lr=LR, schedule="step", step_epochs=3, warmup_epochs=2),
    "warmup-cosine": OptimSettings(lr=LR, schedule="cosine", warmup_epochs=2),
    "warmup-plateau": OptimSettings(
        lr=LR, schedule="plateau", schedule_patience=2, warmup_epochs=2
    ),
}
every_schedule = pytest.mark.parametrize("settings", SCHEDULES.values(), ids=SCHEDULES)


def an_optimizer() -> Optimizer:
    return SGD([torch.zeros(1, requires_grad=True)], lr=LR)


def a_schedule(
    settings: OptimSettings, optimizer: Optimizer | None = None, *, epochs: int = EPOCHS
) -> Schedule:
    return Schedule(settings, optimizer or an_optimizer(), epochs=epochs, steps_per_epoch=STEPS)


class Loop:
    """A run of which only the rates are kept: one of each step, and the last one."""

    def __init__(self, settings: OptimSettings, *, epochs: int = EPOCHS) -> None:
        self.optimizer = an_optimizer()
        self.schedule = a_schedule(settings, self.optimizer, epochs=epochs)
        self.step = 0

    def rates(self, steps: int) -> list[float]:
        # no step of the optimiser itself: torch must not warn when an update goes past it
        return [self._take_step() for _ in range(steps)]

    def _take_step(self) -> float:
        rate = learning_rate(self.optimizer)
        self.step += 1
        if self.schedule.acts_on_steps:
            self.schedule.after_step()
        if self.step % STEPS == 0:
            self.schedule.after_epoch(VAL_LOSSES[(self.step // STEPS - 1) % len(VAL_LOSSES)])
        return rate


def rates_of(settings: OptimSettings, *, epochs: int = EPOCHS) -> list[float]:
    return Loop(settings, epochs=epochs).rates(epochs * STEPS)


def rates_by_hand(settings: OptimSettings) -> list[float]:
    """Torch's schedulers as their documentation says to use them, chained on one optimiser."""
    optimizer = an_optimizer()
    on_step: list[Callable[[], None]] = []
    on_epoch: list[Callable[[float], None]] = []
    match settings.schedule:
        case "step":
            step = StepLR(optimizer, settings.step_epochs, settings.schedule_factor)
            on_epoch.append(lambda _: step.step())
        case "cosine":
            cosine = CosineAnnealingLR(optimizer, T_max=EPOCHS - settings.warmup_epochs)
            on_epoch.append(lambda _: cosine.step())
        case "one_cycle":
            cycle = OneCycleLR(
                optimizer, LR, epochs=EPOCHS, steps_per_epoch=STEPS, cycle_momentum=False
            )
            on_step.append(cycle.step)
        case "plateau":
            factor, patience = settings.schedule_factor, settings.schedule_patience
            plateau = ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
            on_epoch.append(plateau.step)
    if settings.warmup_epochs:
        warmup = LinearLR(optimizer, start_factor=1 / (WARMUP_STEPS + 1), total_iters=WARMUP_STEPS)
        on_step.append(warmup.step)
    rates = []
    for epoch, val_loss in enumerate(VAL_LOSSES, 1):
        for _ in range(STEPS):
            rates.append(learning_rate(optimizer))
            optimizer.step()
            for after_step in on_step:
                after_step()
        if epoch > settings.warmup_epochs:
            for after_epoch in on_epoch:
                after_epoch(val_loss)
    return rates


@every_schedule
def test_the_rates_are_those_of_torchs_schedulers_in_a_plain_loop(settings: OptimSettings) -> None:
    rates, by_hand = rates_of(settings), rates_by_hand(settings)

    if settings.warmup_epochs:  # multiplied in another order
        assert rates == pytest.approx(by_hand, rel=1e-12)
    else:
        assert rates == by_hand
    assert len(set(rates)) > 1 or settings == SCHEDULES["constant"]


def test_the_warm_up_rises_by_equal_parts_to_exactly_the_rate() -> None:
    rates = rates_of(OptimSettings(lr=LR, warmup_epochs=2))

    parts = [LR * part / (WARMUP_STEPS + 1) for part in range(1, WARMUP_STEPS + 1)]
    assert rates[:WARMUP_STEPS] == pytest.approx(parts)
    assert set(rates[WARMUP_STEPS:]) == {LR}


@pytest.mark.parametrize("steps", [1, 100, 1000])
def test_no_rounding_of_the_warm_up_stays(steps: int) -> None:
    optimizer = an_optimizer()
    settings = OptimSettings(lr=LR, warmup_epochs=1)
    schedule = Schedule(settings, optimizer, epochs=2, steps_per_epoch=steps)
    for _ in range(steps):
        assert learning_rate(optimizer) < LR
        schedule.after_step()

    assert learning_rate(optimizer) == LR


@pytest.mark.parametrize("schedule", ["step", "cosine", "plateau"])
@pytest.mark.parametrize("warmup_epochs", [1, 4])
def test_a_schedule_begins_at_the_full_rate_when_the_warm_up_is_over(
    schedule: Any, warmup_epochs: int
) -> None:
    settings = OptimSettings(
        lr=LR, schedule=schedule, step_epochs=1, schedule_patience=0, warmup_epochs=warmup_epochs
    )

    rates = rates_of(settings)[::STEPS]

    assert max(rates[:warmup_epochs]) < LR
    assert rates[warmup_epochs] == LR
    assert rates[-1] < LR


def test_a_warm_up_as_long_as_the_run_leaves_the_cosine_nothing_and_fails_nowhere() -> None:
    rates = rates_of(OptimSettings(lr=LR, schedule="cosine", warmup_epochs=EPOCHS))

    assert rates == sorted(rates)
    assert rates[-1] < LR


def test_the_warm_up_multiplies_a_one_cycle() -> None:
    plain = rates_of(SCHEDULES["one_cycle"])
    warmed_up = rates_of(OptimSettings(lr=LR, schedule="one_cycle", warmup_epochs=2))

    factors = [min(1.0, (step + 1) / (WARMUP_STEPS + 1)) for step in range(EPOCHS * STEPS)]
    expected = [rate * factor for rate, factor in zip(plain, factors, strict=True)]
    assert warmed_up == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "at_first", "after_warmup"),
    [
        ("constant", False, False),
        ("cosine", False, False),
        ("one_cycle", True, True),
        ("warmup-cosine", True, False),
    ],
)
def test_it_says_whether_steps_matter(name: str, at_first: bool, after_warmup: bool) -> None:
    loop = Loop(SCHEDULES[name])
    assert loop.schedule.acts_on_steps == at_first

    loop.rates(WARMUP_STEPS - 1)
    assert loop.schedule.acts_on_steps == at_first

    loop.rates(1)
    assert loop.schedule.acts_on_steps == after_warmup


def test_the_cosine_is_zero_once_the_last_epoch_is_over_and_stays_there() -> None:
    loop = Loop(SCHEDULES["cosine"])

    assert loop.rates(EPOCHS * STEPS)[-1] > 0
    assert set(loop.rates(3 * STEPS)) == {0.0}


def test_a_one_cycle_stays_at_its_lowest_rate_when_there_are_more_steps_than_expected() -> None:
    loop = Loop(SCHEDULES["one_cycle"])
    last = loop.rates(EPOCHS * STEPS)[-1]

    assert last == pytest.approx(LR / 25 / 1e4)
    assert set(loop.rates(20)) == {last}


def rates_on_plateau(losses: list[float], lr: float = LR) -> list[float]:
    """The rate after each epoch, with a patience of 3 epochs."""
    settings = OptimSettings(lr=lr, schedule="plateau", schedule_patience=3, schedule_factor=0.5)
    optimizer = an_optimizer()
    schedule = a_schedule(settings, optimizer)
    rates = []
    for loss in losses:
        schedule.after_epoch(loss)
        rates.append(learning_rate(optimizer))
    return rates


def test_the_plateau_waits_an_epoch_longer_than_early_stopping_of_the_same_patience() -> None:
    # stopping ends a run after 3 epochs without improvement, here after epoch 4
    assert rates_on_plateau([1.0, 1.0, 1.0, 1.0, 1.0]) == [LR, LR, LR, LR, LR / 2]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_no_improvement_for_the_plateau(loss: float) -> None:
    assert rates_on_plateau([1.0, loss, loss, loss, loss])[-1] == LR / 2
    # nor does it become the best loss, which nothing could be below
    assert rates_on_plateau([loss, 1.0, 0.9, 0.8, 0.7, 0.6])[-1] == LR


def test_losses_below_zero_improve_when_they_fall() -> None:
    # torch's relative threshold takes -0.99995 for an improvement on -1
    assert rates_on_plateau([-1.0] + 4 * [-0.99995])[-1] == LR / 2
    assert rates_on_plateau([-1.0, -1.1, -1.2, -1.3, -1.4])[-1] == LR


def test_a_tiny_rate_falls_like_any_other() -> None:
    # torch by itself changes no rate by less than 1e-8
    assert rates_on_plateau(5 * [1.0], lr=1e-8)[-1] == 5e-9


def stored(state: Any) -> Any:
    """The state as it comes back from a checkpoint."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@every_schedule
@pytest.mark.parametrize("steps", [0, 5, WARMUP_STEPS, 6 * STEPS, 9 * STEPS + 3])
@pytest.mark.parametrize("optimizer_first", [True, False])
def test_a_stored_schedule_goes_on_to_the_last_bit(
    settings: OptimSettings, steps: int, optimizer_first: bool
) -> None:
    whole = rates_of(settings)
    before = Loop(settings)
    before.rates(steps)
    state, optimizer_state = before.schedule.state_dict(), before.optimizer.state_dict()

    after = Loop(settings)
    after.step = steps
    if optimizer_first:
        after.optimizer.load_state_dict(stored(optimizer_state))
    after.schedule.load_state_dict(stored(state))
    if not optimizer_first:
        after.optimizer.load_state_dict(stored(optimizer_state))

    assert after.rates(EPOCHS * STEPS - steps) == whole[steps:]


@every_schedule
def test_the_state_is_numbers_only(settings: OptimSettings) -> None:
    state = a_schedule(settings).state_dict()

    assert {type(value) for value in state.values()} == {int, float}


def test_a_schedule_for_a_restored_optimizer_begins_at_the_settings_rate() -> None:
    optimizer = an_optimizer()
    optimizer.param_groups[0]["lr"] = 0.001  # what some earlier schedule left

    a_schedule(SCHEDULES["cosine"], optimizer)

    assert learning_rate(optimizer) == LR


@every_schedule
@pytest.mark.parametrize("steps", [0, 5, 6 * STEPS + 2])
def test_another_rate_multiplies_the_present_and_all_later_rates(
    settings: OptimSettings, steps: int
) -> None:
    loop = Loop(settings)
    loop.rates(steps)

    loop.schedule.set_lr(0.25 * LR)

    later = [0.25 * rate for rate in rates_of(settings)[steps:]]
    assert loop.rates(EPOCHS * STEPS - steps) == pytest.approx(later)


@every_schedule
def test_a_rate_and_length_changed_live_survive_a_checkpoint(settings: OptimSettings) -> None:
    changed = Loop(settings)
    changed.rates(30)
    changed.schedule.set_lr(0.07)
    changed.schedule.set_epochs(20)
    restored = Loop(settings)
    restored.step = 30
    restored.schedule.load_state_dict(stored(changed.schedule.state_dict()))

    assert (restored.schedule.lr, restored.schedule.epochs) == (0.07, 20)
    assert restored.rates(60) == changed.rates(60)


def test_a_new_rate_is_met_exactly() -> None:
    for old, new in [(0.003, 0.007), (0.1, 0.3), (0.3, 0.1)]:
        optimizer = an_optimizer()
        schedule = a_schedule(OptimSettings(lr=old), optimizer)
        schedule.set_lr(new)
        assert learning_rate(optimizer) == new


@pytest.mark.parametrize("name", ["cosine", "one_cycle", "warmup-cosine"])
@pytest.mark.parametrize("epochs", [8, 30])
def test_a_new_length_is_laid_out_as_if_it_had_been_so_from_the_start(
    name: str, epochs: int
) -> None:
    loop = Loop(SCHEDULES[name])
    loop.rates(40)

    loop.schedule.set_epochs(epochs)

    expected = rates_of(SCHEDULES[name], epochs=epochs)[40:]
    assert loop.rates(epochs * STEPS - 40) == pytest.approx(expected)


def test_a_cosine_at_its_end_rises_again_when_the_run_gets_longer() -> None:
    loop = Loop(SCHEDULES["cosine"])
    loop.rates(EPOCHS * STEPS)
    assert learning_rate(loop.optimizer) == 0

    loop.schedule.set_epochs(2 * EPOCHS)

    assert learning_rate(loop.optimizer) == pytest.approx(LR / 2)
    assert loop.rates(12 * STEPS)[-1] == pytest.approx(
        LR * (1 + math.cos(math.pi * 23 / 24)) / 2, rel=1e-9
    )


def test_a_cosine_made_shorter_than_what_is_over_is_zero_and_can_be_made_longer_again() -> None:
    loop = Loop(SCHEDULES["cosine"])
    loop.rates(9 * STEPS)

    loop.schedule.set_epochs(5)
    assert set(loop.rates(STEPS)) == {0.0}

    loop.schedule.set_epochs(20)
    assert learning_rate(loop.optimizer) == pytest.approx(LR / 2)


@pytest.mark.parametrize("name", ["constant", "step", "plateau", "warmup", "warmup-step"])
def test_a_new_length_changes_no_other_schedule(name: str) -> None:
    loop = Loop(SCHEDULES[name])
    rates = loop.rates(10)
    loop.schedule.set_epochs(500)

    assert rates + loop.rates(EPOCHS * STEPS - 10) == rates_of(SCHEDULES[name])


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_same_length_again_changes_no_bit(name: str) -> None:
    loop = Loop(SCHEDULES[name])
    rates = loop.rates(50)
    loop.schedule.set_epochs(EPOCHS)
    loop.schedule.set_lr(LR)

    assert rates + loop.rates(EPOCHS * STEPS - 50) == rates_of(SCHEDULES[name])


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            OptimSettings(schedule="one_cycle"),
            'optim.schedule: found "one_cycle"; allowed: constant, step, cosine or plateau',
        ),
        (OptimSettings(warmup_epochs=3), "optim.warmup_epochs: found 3; allowed: 0"),
    ],
)
def test_what_goes_by_the_step_needs_an_epoch_of_known_length(
    settings: OptimSettings, problem: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Schedule(settings, an_optimizer(), epochs=EPOCHS, steps_per_epoch=None)

    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("name", ["constant", "step", "cosine", "plateau"])
def test_what_goes_by_the_epoch_does_not(name: str) -> None:
    optimizer = an_optimizer()
    schedule = Schedule(SCHEDULES[name], optimizer, epochs=EPOCHS, steps_per_epoch=None)
    rates = []
    for val_loss in VAL_LOSSES:
        rates.append(learning_rate(optimizer))
        schedule.after_epoch(val_loss)

    assert rates == rates_by_hand(SCHEDULES[name])[::STEPS]


def test_every_group_of_the_optimizer_gets_the_rate() -> None:
    weights = [{"params": [torch.zeros(1, requires_grad=True)]} for _ in range(2)]
    optimizer = SGD(weights, lr=LR)
    schedule = a_schedule(SCHEDULES["cosine"], optimizer)
    schedule.after_epoch(1.0)

    first, second = (group["lr"] for group in optimizer.param_groups)
    assert first == second < LR
