"""The validation rows' losses compared with those of the best epoch and of one half-way."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from epochtop.core import Trainer, resolve_settings
from epochtop.core.events import EpochCompleted, Event
from epochtop.core.loss.accounting import accounting_of
from epochtop.core.loss.loss_sum import read_from_device
from epochtop.core.training.paired import PairedLosses
from epochtop.core.verdict.reference import half_way, is_compared, is_reference

from .drawn import classes, drawn


@pytest.fixture(scope="module")
def records() -> list[EpochCompleted]:
    """The epochs of a run whose rate is too high for its loss only to fall."""
    found: list[EpochCompleted] = []

    def note(event: Event) -> None:
        if isinstance(event, EpochCompleted):
            found.append(event)

    data = (drawn(0, 90, 4), classes(90))
    overrides = ["train.epochs=40", "optim.lr=0.3", "stopping.patience=0"]
    Trainer(
        nn.Linear(4, 3),
        nn.CrossEntropyLoss(),
        train=(data[0][:60], data[1][:60]),
        val=(data[0][60:], data[1][60:]),
        settings=resolve_settings(overrides=overrides),
        on_event=note,
    ).fit()
    return found


def losses_of(records: list[EpochCompleted]) -> list[float]:
    return [math.nan if record.val_loss is None else record.val_loss for record in records]


def test_an_epochs_rise_is_its_loss_above_the_best_before_it(
    records: list[EpochCompleted],
) -> None:
    losses = losses_of(records)
    assert records[0].val_rise is None
    for record in records[1:]:
        number = record.epoch - 1
        if not is_compared(record.epoch):
            assert record.val_rise is None
            continue
        assert record.val_rise == pytest.approx(losses[number] - min(losses[:number]), abs=1e-6)
        assert record.val_rise_error is not None
        assert record.val_rise_error > 0
    assert max(np.diff(losses)) > 0  # or nothing has risen


def test_a_change_is_from_the_epoch_half_way_to_this_one(records: list[EpochCompleted]) -> None:
    losses = losses_of(records)
    compared = [record for record in records if record.val_change is not None]
    assert [record.epoch for record in compared] == [
        record.epoch for record in records if is_compared(record.epoch)
    ]
    for record in compared:
        change = record.val_change
        assert change is not None
        assert change.since_epoch == half_way(record.epoch)
        by = losses[record.epoch - 1] - losses[change.since_epoch - 1]
        assert change.by == pytest.approx(by, abs=1e-6)
        assert change.error > 0


def test_few_epochs_rows_are_kept_however_long_the_run() -> None:
    loss = nn.MSELoss(reduction="mean")
    paired = PairedLosses(loss, accounting_of(loss))
    for epoch in range(1, 3000):
        paired.begin()
        paired.add(drawn(epoch, 4, 1), torch.zeros(4, 1))
        _, change = paired.compare(epoch)
        assert len(change) == is_compared(epoch)
        paired.keep(epoch, is_best=False)
        assert len(paired.references) <= 4


def test_an_evaluation_that_was_left_half_way_leaves_no_rows_to_the_next() -> None:
    loss = nn.MSELoss()
    paired = PairedLosses(loss, accounting_of(loss))
    targets = torch.zeros(8, 1)

    def evaluate(epoch: int) -> None:
        paired.begin()
        paired.add(drawn(epoch, 8, 1), targets)

    evaluate(1)
    paired.compare(1)
    paired.keep(1, is_best=True)
    paired.begin()
    paired.add(drawn(9, 8, 1)[:5], targets[:5])  # and here somebody interrupts it
    evaluate(2)
    rise, _ = paired.compare(2)
    read_from_device(rise)
    expected = loss(drawn(2, 8, 1), targets) - loss(drawn(1, 8, 1), targets)
    assert rise.losses == [pytest.approx(float(expected), abs=1e-6)]


@given(st.integers(1, 10**8))
def test_half_way_is_the_last_reference_up_to_three_fifths_of_the_epochs(epoch: int) -> None:
    reference = half_way(epoch)
    assert is_reference(reference)
    if epoch > 1:
        assert reference <= 0.6 * epoch
    assert reference == 1 or reference >= 0.4 * epoch


def test_the_references_are_each_about_1_4_times_the_one_before() -> None:
    references = [epoch for epoch in range(1, 200) if is_reference(epoch)]
    assert references == [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181]


def test_an_epoch_is_compared_whenever_the_run_is_a_twentieth_longer() -> None:
    compared = [epoch for epoch in range(1, 2000) if is_compared(epoch)]
    assert compared[:20] == list(range(2, 22))
    steps = np.diff(compared) / compared[:-1]
    assert steps[50:].max() < 0.06


class Squared(nn.Module):
    """Squared errors as a user writes them, and from a word on something about all rows at once."""

    is_about_rows = True

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = (outputs - targets).square()
        return errors.mean() if self.is_about_rows else errors.mean() + errors.std()


def regression_records(loss: nn.Module, at: Callable[[int], None]) -> list[EpochCompleted]:
    """The epochs of a run; `at` is told of each one's end."""
    found: list[EpochCompleted] = []

    def note(event: Event) -> None:
        if isinstance(event, EpochCompleted):
            found.append(event)
            at(event.epoch)

    inputs, noise = drawn(0, 90, 4), drawn(1, 90, 2)
    targets = inputs[:, :2] + noise
    torch.manual_seed(0)
    Trainer(
        nn.Linear(4, 2),
        loss,
        train=(inputs[:60], targets[:60]),
        val=(inputs[60:], targets[60:]),
        settings=resolve_settings(overrides=["train.epochs=12", "stopping.patience=0"]),
        on_event=note,
    ).fit()
    return found


def test_rows_of_a_users_own_loss_are_compared_like_those_of_torchs() -> None:
    """A regression: such a run had no standard errors, and the verdict on it was a guess."""
    known = regression_records(nn.MSELoss(), lambda _: None)
    own = regression_records(Squared(), lambda _: None)
    assert [each.val_loss for each in known] == [each.val_loss for each in own]
    assert own[0].val_rise is None
    for one, other in zip(known[1:], own[1:], strict=True):
        assert other.val_rise == pytest.approx(one.val_rise, abs=1e-6)
        assert other.val_rise_error == pytest.approx(one.val_rise_error, rel=1e-4, abs=1e-7)
        assert (other.val_change is None) == (one.val_change is None)


def test_once_the_rows_of_an_own_loss_do_not_add_up_to_it_they_tell_nothing() -> None:
    loss = Squared()

    def change(epoch: int) -> None:
        loss.is_about_rows = epoch < 6

    records = regression_records(loss, change)
    assert all(record.val_rise is not None for record in records[1:6])
    assert all(record.val_rise is None for record in records[6:])
    assert all(record.val_change is None for record in records[6:])
