"""The losses that a training reports, against float64 references over the whole split."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from epochtop.core import Split, Trainer, resolve_settings
from epochtop.core.batches.source import Data
from epochtop.core.data import load_dataset
from epochtop.core.events import EpochCompleted
from epochtop.core.loss.accounting import accounting_of
from epochtop.core.loss.loss_sum import LossSum, build_loss, read_from_device
from epochtop.core.settings.declaration import DataSettings

from .plain_loop import loss_in_float64

CLASSES = 3
WEIGHTS = torch.tensor([0.2, 3.0, 1.0])


def inputs_of(rows: int, seed: int) -> Tensor:
    return torch.randn(rows, 4, generator=torch.Generator().manual_seed(seed))


def classes(*shape: int, seed: int, ignored: int = -100) -> Tensor:
    """Class indices, a quarter of them ignored."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(CLASSES, shape, generator=generator)
    return targets.where(torch.rand(shape, generator=generator) > 0.25, ignored)


def numbers(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3 + 1


def binary(*shape: int, seed: int) -> Tensor:
    return (numbers(*shape, seed=seed) > 1).float()


def linear(outputs: int, *shape: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, outputs), *([nn.Unflatten(1, shape)] if shape else []))


def one_epoch(
    loss: Callable[..., Any], model: nn.Module, train: Data, val: Data, batch_size: int = 16
) -> EpochCompleted:
    """An epoch whose weights stand still, so that the train loss is that of the whole split."""
    changes = ["train.epochs=1", "optim.name=sgd", "optim.lr=1e-30"]
    settings = resolve_settings(overrides=[*changes, f"train.batch_size={batch_size}"])
    return Trainer(model, loss, train=train, val=val, settings=settings).fit().history[0]


def in_memory(rows: Split) -> Data:
    return rows


def loaded(rows: Split) -> Data:
    return DataLoader(TensorDataset(rows.inputs, rows.targets), batch_size=7)


CRITERIA: dict[str, tuple[nn.Module, nn.Module, Callable[..., Tensor], tuple[int, ...]]] = {
    "cross-entropy": (nn.CrossEntropyLoss(), linear(3), classes, ()),
    "class weights": (nn.CrossEntropyLoss(weight=WEIGHTS), linear(3), classes, ()),
    "label smoothing": (nn.CrossEntropyLoss(label_smoothing=0.2), linear(3), classes, ()),
    "all of them": (
        nn.CrossEntropyLoss(weight=WEIGHTS, label_smoothing=0.2, ignore_index=1),
        linear(3),
        classes,
        (),
    ),
    "sequences": (nn.CrossEntropyLoss(weight=WEIGHTS), linear(15, 3, 5), classes, (5,)),
    "likelihood": (
        nn.NLLLoss(weight=WEIGHTS),
        nn.Sequential(linear(3), nn.LogSoftmax(dim=1)),
        classes,
        (),
    ),
    "labels": (
        nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 4.0, 0.5])),
        linear(3),
        binary,
        (3,),
    ),
    "one label": (nn.BCEWithLogitsLoss(), linear(1), binary, (1,)),
    "a column": (nn.MSELoss(), linear(1), numbers, (1,)),
    "three columns": (nn.MSELoss(), linear(3), numbers, (3,)),
    "a matrix": (nn.L1Loss(), linear(6, 2, 3), numbers, (2, 3)),
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("form", [in_memory, loaded])
@pytest.mark.parametrize("name", CRITERIA)
def test_all_three_losses_are_the_criterions_own_over_the_whole_split(
    name: str, form: Callable[[Split], Data], reduction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epochtop.core.batches.rows.EVALUATION_ROWS", 16)
    loss, model, draw, shape = CRITERIA[name]
    ignored = {"ignored": loss.ignore_index} if isinstance(loss, nn.CrossEntropyLoss) else {}
    train = Split(inputs_of(70, seed=1), draw(70, *shape, seed=2, **ignored))
    val = Split(inputs_of(75, seed=3), draw(75, *shape, seed=4, **ignored))
    expected = [loss_in_float64(model, loss, rows) for rows in (train, val, train)]

    monkeypatch.setattr(loss, "reduction", reduction)
    record = one_epoch(loss, model, form(train), form(val))

    found = [record.train_loss, record.val_loss, record.train_loss_eval]
    assert found == pytest.approx(expected, rel=1e-6)


@given(
    weights=st.lists(st.sampled_from([0.0, 0.1, 1.0, 7.5]), min_size=3, max_size=3),
    ignored=st.sampled_from([-100, 1]),
    smoothing=st.sampled_from([0.0, 0.3]),
    batch_size=st.integers(1, 30),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=25)
def test_the_losses_are_exact_for_any_weights_ignored_targets_and_batches(
    weights: list[float], ignored: int, smoothing: float, batch_size: int, seed: int
) -> None:
    loss = nn.CrossEntropyLoss(torch.tensor(weights), None, ignored, label_smoothing=smoothing)
    train, val = (
        Split(inputs_of(20, seed), torch.cat([classes(18, seed=seed), torch.tensor([0, 2])]))
        for seed in (seed, seed + 1)
    )
    model = linear(3)
    train.targets[train.targets == -100] = ignored
    val.targets[val.targets == -100] = ignored
    denominator = accounting_of(loss).denominator(None, train.targets)
    if denominator == 0 or accounting_of(loss).denominator(None, val.targets) == 0:
        return
    # a smoothed batch of nothing but classes of weight 0 has a term that no mean can show
    if smoothing and 0.0 in weights:
        batch_size = 30

    record = one_epoch(loss, model, train, val, batch_size)

    expected = [loss_in_float64(model, loss, rows) for rows in (train, val)]
    assert [record.train_loss, record.val_loss] == pytest.approx(expected, rel=1e-6)


def distance(outputs: Tensor, targets: Tensor) -> Tensor:
    """A loss of one's own: the mean over the rows of something."""
    lengths: Tensor = torch.linalg.vector_norm(outputs - targets, dim=1)
    return lengths.mean()


@pytest.mark.parametrize("form", [in_memory, loaded])
def test_a_loss_of_ones_own_is_the_mean_over_the_rows(form: Callable[[Split], Data]) -> None:
    train, val = (Split(inputs_of(rows, rows), numbers(rows, 2, seed=rows)) for rows in (70, 75))
    model = linear(2)
    expected = [
        float(distance(model(rows.inputs).detach().double(), rows.targets.double()))
        for rows in (train, val, train)
    ]

    record = one_epoch(distance, model, form(train), form(val))

    found = [record.train_loss, record.val_loss, record.train_loss_eval]
    assert found == pytest.approx(expected, rel=1e-6)


class MaskedError:
    """The mean squared error over the numbers that are there: the targets' nan is no number."""

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = (outputs - targets.nan_to_num()).square() * ~targets.isnan()
        return errors.sum() / self.denominator(outputs, targets)

    def denominator(self, _outputs: Tensor, targets: Tensor) -> Tensor:
        return (~targets.isnan()).sum()


@pytest.mark.parametrize("form", [in_memory, loaded])
def test_a_loss_that_says_its_denominator_is_the_mean_over_what_that_counts(
    form: Callable[[Split], Data],
) -> None:
    train, val = (Split(inputs_of(rows, rows), numbers(rows, 2, seed=rows)) for rows in (70, 75))
    for rows in (train, val):
        rows.targets[rows.inputs[:, :2] > 0] = math.nan  # a third of them, unevenly
    model = linear(2)
    expected = [
        float((model(rows.inputs).detach().double() - rows.targets.double()).square().nanmean())
        for rows in (train, val, train)
    ]

    record = one_epoch(MaskedError(), model, form(train), form(val))

    found = [record.train_loss, record.val_loss, record.train_loss_eval]
    assert found == pytest.approx(expected, rel=1e-6)


def test_targets_that_only_a_forward_of_ones_own_makes_count_as_the_loss_sees_them() -> None:
    """The split's own targets say nothing of what is ignored then."""
    train, val = (Split(inputs_of(rows, rows), classes(rows, seed=rows)) for rows in (70, 75))
    model, loss = linear(3), nn.CrossEntropyLoss(weight=WEIGHTS)
    expected = [loss_in_float64(model, loss, rows) for rows in (train, val, train)]

    def forward(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
        inputs, targets = batch
        return model(inputs), targets - 7

    settings = resolve_settings(
        overrides=["train.epochs=1", "optim.name=sgd", "optim.lr=1e-30", "train.batch_size=16"]
    )
    shifted = [Split(rows.inputs, rows.targets + 7) for rows in (train, val)]
    trainer = Trainer(
        model, loss, train=shifted[0], val=shifted[1], settings=settings, forward=forward
    )
    record = trainer.fit().history[0]

    found = [record.train_loss, record.val_loss, record.train_loss_eval]
    assert found == pytest.approx(expected, rel=1e-6)


# The sum of a split's batches.


def sum_of(*pairs: tuple[float, float]) -> LossSum:
    losses = LossSum()
    for loss, denominator in pairs:
        losses.add(torch.tensor(loss), denominator)
    read_from_device(losses)
    return losses


def mean_of(*pairs: tuple[float, float]) -> float:
    return sum_of(*pairs).mean(accounting_of(nn.CrossEntropyLoss()))


def test_a_smaller_last_batch_counts_by_its_rows() -> None:
    assert mean_of((1.0, 32), (1.0, 32), (5.0, 1)) == (32 + 32 + 5) / 65


def test_the_losses_of_batches_are_read_in_order() -> None:
    losses = sum_of((1.0, 1), (0.5, 1), (math.inf, 2))

    assert losses.losses == [1.0, 0.5, math.inf]
    assert losses.denominators == [1, 1, 2]


@pytest.mark.parametrize("batches", [4095, 4096, 4097, 10_000])
def test_a_long_epoch_is_read_now_and_then_and_none_is_lost(batches: int) -> None:
    losses = LossSum()
    for batch in range(batches):
        losses.add(torch.tensor(float(batch)), 1.0)
    assert len(losses.unread()) < 4096
    read_from_device(losses)

    assert losses.losses == [float(batch) for batch in range(batches)]


def test_several_sums_are_read_in_one_go_whatever_their_types() -> None:
    train, val, nothing = LossSum(), LossSum(), LossSum()
    train.add(torch.tensor(0.1), torch.tensor(3.0, dtype=torch.float64))
    train.add(torch.tensor(0.2, dtype=torch.float64), 5.0)
    val.add(torch.tensor(0.3, dtype=torch.float64), torch.tensor(7))

    read_from_device(train, nothing, val)

    assert train.losses == [pytest.approx(0.1, rel=1e-7), 0.2]
    assert train.denominators == [3.0, 5.0]
    assert (val.losses, val.denominators) == ([0.3], [7.0])
    assert (nothing.losses, nothing.denominators) == ([], [])


def test_what_has_been_read_goes_on_where_it_was() -> None:
    losses = LossSum([1.0, 2.0], [1.0, 1.0])
    losses.add(torch.tensor(6.0), 2.0)
    read_from_device(losses)

    assert losses.mean(accounting_of(nn.CrossEntropyLoss())) == (1 + 2 + 12) / 4


@pytest.mark.parametrize(
    ("losses", "kind"),
    [
        ([1.0, math.nan], math.nan),
        ([math.inf, 1.0], math.inf),
        ([1.0, -math.inf], -math.inf),
        ([math.inf, -math.inf], math.nan),
    ],
)
def test_a_batch_that_is_not_finite_makes_the_mean_so(losses: list[float], kind: float) -> None:
    assert mean_of(*((loss, 1) for loss in losses)) == pytest.approx(kind, nan_ok=True)


def test_without_a_batch_there_is_no_loss() -> None:
    assert math.isnan(mean_of())


@pytest.mark.parametrize(("source", "kind"), [("iris", "CrossEntropy"), ("diabetes", "MSE")])
def test_classes_and_numbers_have_the_loss_that_people_expect(source: str, kind: str) -> None:
    assert type(build_loss(load_dataset(DataSettings(source=source)))).__name__ == f"{kind}Loss"
