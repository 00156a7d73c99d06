"""What a step of the trainer does, against a loop written by hand."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LambdaLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)
from torch.utils.data import DataLoader, TensorDataset

from epochtop.core import Settings, Split, Trainer, resolve_settings
from epochtop.core.batches.source import Data, Forward
from epochtop.core.seeds import epoch_order
from epochtop.core.training.step import GeneralStep, PlainStep, learner_of

from .plain_loop import PlainLoop, assert_same_weights, weights_of

EPOCHS = 4


def rows(count: int, seed: int, classes: int = 3) -> Split:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=generator)
    return Split(inputs, inputs[:, :classes].argmax(dim=1))


TRAIN, VAL = rows(70, seed=1), rows(30, seed=2)


def settings_of(*overrides: str) -> Settings:
    fixed = [f"train.epochs={EPOCHS}", "stopping.patience=0", "stopping.restore_best=false"]
    return resolve_settings(overrides=[*fixed, *overrides])


def normed_model() -> nn.Module:
    """With no bias before batch normalisation: that would have no gradient but rounding."""
    torch.manual_seed(0)
    layers = nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)
    return nn.Sequential(*layers)


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


def trainer_of(
    settings: Settings,
    model: nn.Module,
    loss: Callable[..., Any] | None = None,
    train: Data = TRAIN,
    forward: Forward | None = None,
) -> Trainer:
    loss = loss or nn.CrossEntropyLoss()
    return Trainer(model, loss, train=train, val=VAL, settings=settings, forward=forward)


def plain_loop(model: nn.Module, optimizer: Optimizer, **options: Any) -> PlainLoop:
    return PlainLoop(model, nn.CrossEntropyLoss(), optimizer, **options)


def assert_same_history(trainer: Trainer, loop: PlainLoop) -> None:
    assert [record.train_loss for record in trainer.history] == pytest.approx(
        loop.train_losses, rel=1e-6
    )
    assert [record.val_loss for record in trainer.history] == pytest.approx(
        loop.val_losses, rel=1e-6
    )
    assert [record.lr for record in trainer.history] == pytest.approx(loop.lrs, rel=1e-12)


# Optimisers and schedules.

OPTIMIZERS: dict[str, tuple[list[str], Callable[[Any], Optimizer]]] = {
    "adam": ([], lambda weights: Adam(weights, lr=0.01)),
    "adam with decay": (
        ["optim.weight_decay=0.1"],
        lambda weights: Adam(weights, lr=0.01, weight_decay=0.1),
    ),
    "adamw": (
        ["optim.name=adamw", "optim.weight_decay=0.1"],
        lambda weights: AdamW(weights, lr=0.01, weight_decay=0.1),
    ),
    "sgd": (["optim.name=sgd"], lambda weights: SGD(weights, lr=0.01)),
    "momentum": (
        ["optim.name=sgd", "optim.momentum=0.9", "optim.weight_decay=0.1"],
        lambda weights: SGD(weights, lr=0.01, momentum=0.9, weight_decay=0.1),
    ),
    "nesterov": (
        ["optim.name=sgd", "optim.momentum=0.9", "optim.nesterov=true"],
        lambda weights: SGD(weights, lr=0.01, momentum=0.9, nesterov=True),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimiser_trains_as_in_a_plain_loop(name: str) -> None:
    changes, build = OPTIMIZERS[name]
    expected = normed_model()
    loop = plain_loop(expected, build(expected.parameters()))
    loop.fit(TRAIN, VAL, EPOCHS)

    model = normed_model()
    trainer = trainer_of(settings_of(*changes), model)
    trainer.fit()

    assert isinstance(trainer.take_step, PlainStep)
    assert_same_weights(model, expected, rtol=1e-5)
    assert_same_history(trainer, loop)


def step_after_epochs(scheduler: Any) -> dict[str, Any]:
    return {"after_epoch": lambda _: scheduler.step()}


def step_after_steps(scheduler: Any) -> dict[str, Any]:
    return {"after_step": scheduler.step}


# The seventy rows make three steps an epoch.
SCHEDULES: dict[str, tuple[list[str], Callable[[Optimizer], dict[str, Any]]]] = {
    "step": (
        ["optim.schedule=step", "optim.step_epochs=2", "optim.schedule_factor=0.3"],
        lambda sgd: step_after_epochs(StepLR(sgd, 2, 0.3)),
    ),
    "cosine": (
        ["optim.schedule=cosine"],
        lambda sgd: step_after_epochs(CosineAnnealingLR(sgd, EPOCHS)),
    ),
    "one_cycle": (
        ["optim.schedule=one_cycle"],
        lambda sgd: step_after_steps(
            OneCycleLR(sgd, 4.0, total_steps=3 * EPOCHS, cycle_momentum=False)
        ),
    ),
    "plateau": (
        ["optim.schedule=plateau", "optim.schedule_patience=0", "optim.schedule_factor=0.5"],
        lambda sgd: {
            "after_epoch": ReduceLROnPlateau(sgd, factor=0.5, patience=0, threshold=0.0).step
        },
    ),
    "warm-up": (
        ["optim.warmup_epochs=2"],
        lambda sgd: step_after_steps(LambdaLR(sgd, lambda step: min(1, (step + 1) / 7))),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_changes_the_rate_as_in_a_plain_loop(name: str) -> None:
    changes, schedule = SCHEDULES[name]
    expected = small_model()
    sgd = SGD(expected.parameters(), lr=4.0, momentum=0.9)
    loop = plain_loop(expected, sgd, **schedule(sgd))
    loop.fit(TRAIN, VAL, EPOCHS)

    model = small_model()
    fixed = ["optim.name=sgd", "optim.momentum=0.9", "optim.lr=4"]
    trainer = trainer_of(settings_of(*fixed, *changes), model)
    trainer.fit()

    assert len(set(loop.lrs)) > 1
    assert_same_weights(model, expected, rtol=1e-5)
    assert_same_history(trainer, loop)


# Clipping.


@pytest.mark.parametrize("limit", [0.05, 0.4, 1000.0])
def test_gradients_are_clipped_as_in_a_plain_loop_and_their_norm_is_recorded(limit: float) -> None:
    expected = normed_model()
    sgd = SGD(expected.parameters(), lr=0.5)
    loop = plain_loop(expected, sgd, clip_norm=limit, batch_size=14)
    loop.fit(TRAIN, VAL, EPOCHS)

    model = normed_model()
    changes = ["optim.name=sgd", "optim.lr=0.5", f"optim.clip_norm={limit}"]
    changes.append("train.batch_size=14")
    trainer = trainer_of(settings_of(*changes), model)
    trainer.fit()

    assert_same_weights(model, expected, rtol=1e-5)
    assert_same_history(trainer, loop)
    largest = [max(norms) for norms in loop.norms]
    assert largest != [norms[-1] for norms in loop.norms]
    assert [record.grad_norm for record in trainer.history] == pytest.approx(largest, rel=1e-6)


def test_without_clipping_no_norm_is_measured() -> None:
    trainer = trainer_of(settings_of(), small_model())
    trainer.fit()

    assert {record.grad_norm for record in trainer.history} == {None}


# Gradient accumulation.


class MaskedError:
    """The squared error over the rows that count: those whose first input is below a limit."""

    def __init__(self, limit: float = 0.7) -> None:
        self.limit = limit

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = (outputs.sum(dim=1) - targets).square() * self._mask(targets)
        return errors.sum() / self._mask(targets).sum()

    def denominator(self, _outputs: Tensor, targets: Tensor) -> Tensor:
        return self._mask(targets).sum()

    def _mask(self, targets: Tensor) -> Tensor:
        return targets != 2


def one_hot(rows: Split) -> Split:
    return Split(rows.inputs, nn.functional.one_hot(rows.targets, 3).float())


LOSSES: dict[str, tuple[Callable[..., Any], Callable[[Split], Split]]] = {
    "cross-entropy": (nn.CrossEntropyLoss(), lambda rows: rows),
    "class weights and ignored": (
        nn.CrossEntropyLoss(torch.tensor([0.1, 5.0, 1.0]), ignore_index=2),
        lambda rows: rows,
    ),
    "squares": (nn.MSELoss(), one_hot),
    "a sum": (nn.CrossEntropyLoss(torch.tensor([0.1, 0.5, 1.0]), reduction="sum"), lambda x: x),
    "its own denominator": (MaskedError(), lambda rows: rows),
}


@pytest.mark.parametrize("clip", [0.0, 0.2])
@pytest.mark.parametrize("name", LOSSES)
def test_several_batches_make_the_step_of_one_that_is_as_large(name: str, clip: float) -> None:
    loss, form = LOSSES[name]
    common = ["optim.name=sgd", "optim.momentum=0.9", "optim.lr=0.02", f"optim.clip_norm={clip}"]
    large, small = (
        Trainer(
            small_model(),
            loss,
            train=form(TRAIN),
            val=form(VAL),
            settings=settings_of(*common, f"train.batch_size={size}", f"optim.accumulate={count}"),
        )
        for size, count in ((32, 1), (8, 4))
    )
    large.fit()
    small.fit()

    assert (small.step, large.step) == (3 * EPOCHS, 3 * EPOCHS)  # of 4, 4 and 1 batches
    assert_same_weights(small.model, large.model, rtol=1e-5)
    for ours, theirs in zip(small.history, large.history, strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-5)
        assert clip == 0 or ours.grad_norm == pytest.approx(theirs.grad_norm, rel=1e-5)


def test_one_cycle_counts_steps_not_batches() -> None:
    changes = ["optim.schedule=one_cycle", "optim.accumulate=4", "train.batch_size=8"]
    trainer = trainer_of(settings_of(*changes), small_model())
    trainer.fit()

    assert trainer.step == 3 * EPOCHS
    assert float(trainer.optimizer.param_groups[0]["lr"]) == pytest.approx(0.01 / 25 / 1e4)


# Batches in which nothing counts.

IGNORED = -100


def with_an_ignored_batch(batch_size: int, number: int) -> Split:
    """The training rows, of which all are ignored that an epoch's batch of this number holds."""
    order = epoch_order(len(TRAIN), seed=0, epoch=1)
    targets = TRAIN.targets.clone()
    targets[order[number * batch_size : (number + 1) * batch_size]] = IGNORED
    return Split(TRAIN.inputs, targets)


def own_forward(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
    inputs, targets = batch
    return model(inputs), targets


class SaysItsDenominator:
    """Cross-entropy, which says itself what counts."""

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets)

    def denominator(self, _outputs: Tensor, targets: Tensor) -> Tensor:
        return (targets != IGNORED).sum()


def in_order(rows: Split, batch_size: int) -> Data:
    """The same batches from a loader."""
    order = epoch_order(len(rows), seed=0, epoch=1)
    dataset = TensorDataset(rows.inputs[order], rows.targets[order])
    return DataLoader(dataset, batch_size=batch_size)


FORMS: dict[str, dict[str, Any]] = {
    "in memory": {},
    "from a loader": {"is_loaded": True},
    "its own forward": {"forward": own_forward},
    "its own denominator": {"loss": SaysItsDenominator()},
}


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("form", FORMS)
def test_a_batch_in_which_all_is_ignored_changes_nothing(form: str, accumulate: int) -> None:
    """Neither weights nor buffers nor the optimiser's state nor the losses."""
    options = dict(FORMS[form])
    train = with_an_ignored_batch(16, number=2)
    expected = normed_model()
    adam = Adam(expected.parameters(), lr=0.01, weight_decay=0.1)
    order = epoch_order(len(TRAIN), seed=0, epoch=1)
    total = 0.0
    groups = {1: [[0], [1], [3], [4]], 2: [[0, 1], [3], [4]]}  # batch 2 is ignored
    for group in groups[accumulate]:
        adam.zero_grad()
        batches = [order[16 * number : 16 * (number + 1)] for number in group]
        for batch in batches:
            loss = nn.functional.cross_entropy(
                expected(TRAIN.inputs[batch]), TRAIN.targets[batch], reduction="sum"
            )
            (loss / sum(map(len, batches))).backward()  # type: ignore[no-untyped-call] # torch's
            total += float(loss.detach())
        adam.step()

    model = normed_model()
    changes = ["train.batch_size=16", "optim.weight_decay=0.1", f"optim.accumulate={accumulate}"]
    data = in_order(train, 16) if options.pop("is_loaded", False) else train
    trainer = trainer_of(settings_of(*changes, "train.epochs=1"), model, train=data, **options)
    record = trainer.fit().history[0]

    assert_same_weights(model, expected, rtol=1e-5)
    for ours, theirs in zip(model.parameters(), expected.parameters(), strict=True):
        ours_state, state = trainer.optimizer.state[ours], adam.state[theirs]
        for name in ("step", "exp_avg", "exp_avg_sq"):
            torch.testing.assert_close(ours_state[name], state[name], rtol=1e-4, atol=1e-8)
    assert record.train_loss == pytest.approx(total / 54, rel=1e-5)


@pytest.mark.parametrize("precision", ["float32", "fp16"])
@pytest.mark.parametrize("form", ["its own forward", "its own denominator"])
def test_a_step_in_which_all_is_ignored_is_left_out(form: str, precision: str) -> None:
    changes = ["optim.momentum=0.9", "optim.name=sgd", "train.epochs=2", "optim.clip_norm=1"]
    changes.append(f"train.precision={precision}")
    targets = TRAIN.targets.clone()
    targets[35:] = IGNORED
    model, seen = normed_model(), []

    class Watching(DataLoader[Any]):
        def __iter__(self) -> Any:
            for batch in super().__iter__():
                seen.append(weights_of(model))
                yield batch
            seen.append(weights_of(model))

    data = Watching(TensorDataset(TRAIN.inputs, targets), batch_size=35)
    trainer_of(settings_of(*changes), model, train=data, **FORMS[form]).fit()

    before, between, after = seen[:3]
    assert not torch.equal(before["0.weight"], between["0.weight"])
    assert all(torch.equal(between[name], after[name]) for name in between)


# Mixed precision.


class Recording(nn.Module):
    """A linear layer that notes what its products are made of; so does its loss."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 3)
        self.products: set[torch.dtype] = set()
        self.outputs: set[torch.dtype] = set()

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.layer(inputs)
        self.products.add(outputs.dtype)
        return outputs

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        self.outputs.add(outputs.dtype)
        return nn.functional.cross_entropy(outputs, targets)


PRECISIONS = [("float32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]


@pytest.mark.parametrize(("precision", "dtype"), PRECISIONS)
def test_a_model_computes_in_the_precision_asked_for_and_its_loss_in_float32(
    precision: str, dtype: torch.dtype
) -> None:
    model = Recording()
    settings = settings_of(f"train.precision={precision}", "train.epochs=1")
    trainer = trainer_of(settings, model, model.loss)
    model.products.clear()  # of what was tried before training
    trainer.fit()

    assert model.products == {dtype}
    assert model.outputs == {torch.float32}
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("name", ["adam", "adamw", "nesterov"])
def test_mixed_precision_learns_nearly_what_float32_learns(
    name: str, precision: str, accumulate: int
) -> None:
    changes, _ = OPTIMIZERS[name]
    changes = [*changes, f"optim.accumulate={accumulate}", "optim.clip_norm=5", "train.epochs=15"]
    full = trainer_of(settings_of(*changes), normed_model())
    mixed = trainer_of(settings_of(*changes, f"train.precision={precision}"), normed_model())
    full.fit()
    mixed.fit()

    first, last = full.history[0], full.history[-1]
    assert last.train_loss is not None
    assert first.train_loss is not None
    assert last.train_loss < 0.9 * first.train_loss
    assert mixed.history[-1].train_loss == pytest.approx(last.train_loss, rel=0.15)
    assert mixed.history[-1].val_loss == pytest.approx(last.val_loss, rel=0.15)
    assert all(record.grad_norm is not None for record in mixed.history)


def test_fp16_leaves_out_a_step_whose_scaled_gradients_overflow_and_goes_on() -> None:
    model = small_model()
    loss = lambda outputs, targets: 100 * nn.functional.cross_entropy(outputs, targets)  # noqa: E731
    changes = ["train.precision=fp16", "optim.clip_norm=1", "train.epochs=10"]
    trainer = trainer_of(settings_of(*changes), model, loss)
    before = trainer.take_step.scaler.get_scale() if trainer.take_step.scaler else 0.0
    result = trainer.fit()

    assert trainer.take_step.scaler is not None
    assert trainer.take_step.scaler.get_scale() < before
    losses = [record.train_loss for record in result.history]
    assert all(loss is not None and math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]  # type: ignore[operator] # none is None
    assert all(record.grad_norm is not None for record in result.history)


def test_outputs_of_ones_own_forward_are_float32_for_the_loss_however_nested() -> None:
    seen: set[torch.dtype] = set()

    def forward(model: nn.Module, batch: Any) -> tuple[Any, Tensor]:
        outputs = model(batch[0])
        return {"logits": outputs, "hidden": [outputs, (outputs, 3)]}, batch[1]

    def loss(outputs: dict[str, Any], targets: Tensor) -> Tensor:
        first, (second, three) = outputs["hidden"]
        seen.update({outputs["logits"].dtype, first.dtype, second.dtype})
        assert three == 3
        return nn.functional.cross_entropy(outputs["logits"], targets)

    settings = settings_of("train.precision=bf16", "train.epochs=1")
    trainer_of(settings, small_model(), loss, forward=forward).fit()

    assert seen == {torch.float32}


@pytest.mark.parametrize(
    "change", ["optim.accumulate=2", "optim.clip_norm=1", "train.precision=bf16"]
)
def test_what_nobody_asks_for_is_left_out_of_the_step(change: str) -> None:
    assert isinstance(trainer_of(settings_of(), small_model()).take_step, PlainStep)
    assert isinstance(trainer_of(settings_of(change), small_model()).take_step, GeneralStep)


def test_a_plain_and_a_general_step_are_the_same_to_the_last_bit() -> None:
    plain = trainer_of(settings_of(), normed_model())
    general = trainer_of(settings_of(), copy.deepcopy(plain.model))
    general.take_step = GeneralStep(learner_of(general))
    plain.fit()
    general.fit()

    assert_same_weights(plain.model, general.model)
