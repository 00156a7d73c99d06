import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from epochtop.core import Settings, Split, Trainer, resolve_settings
from epochtop.core.batches.source import Batch
from epochtop.core.errors import DataError, EpochtopError
from epochtop.core.loss.loss_sum import LossSum
from epochtop.core.optim.optimizer import learning_rate
from epochtop.core.seeds import generators_now
from epochtop.core.training.lr_range import LrRange, find_lr, growing_rates
from epochtop.core.training.step import Step


def settings_of(*overrides: str) -> Settings:
    return resolve_settings(overrides=["train.epochs=3", "stopping.patience=0", *overrides])


def rows(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=generator)
    return Split(inputs, (inputs[:, 0] > 0).long())


def model_with_everything() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2)
    )


def trainer_of(*overrides: str, train: Any = None) -> Trainer:
    return Trainer(
        model_with_everything(),
        nn.CrossEntropyLoss(),
        train=rows(70, seed=1) if train is None else train,
        val=rows(30, seed=2),
        settings=settings_of(*overrides),
    )


class LinearRegression:
    """Least squares by gradient descent on all rows at once, whose largest useful rate is known.

    Below 2 / L, where L is the largest eigenvalue of the loss's second derivative, each step
    lowers the loss; from there on the loss grows without end (Nesterov 2004, section 1.2.3).
    """

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.inputs = torch.randn(200, 3, generator=generator) * torch.tensor([3.0, 1.0, 0.5])
        self.targets = self.inputs @ torch.tensor([[1.0], [-2.0], [4.0]])
        curvature = 2 * self.inputs.T @ self.inputs / len(self.inputs)
        self.limit = 2 / float(torch.linalg.eigvalsh(curvature).max())

    def trainer(self, lr: float = 0.01) -> Trainer:
        torch.manual_seed(0)
        data = Split(self.inputs, self.targets)
        return Trainer(
            nn.Linear(3, 1, bias=False),
            nn.MSELoss(),
            train=data,
            val=data,
            settings=settings_of(
                "optim.name=sgd", f"optim.lr={lr}", "train.batch_size=200", "train.epochs=10"
            ),
        )

    def loss_after_training(self, lr: float) -> float:
        loss = self.trainer(lr).fit().history[-1].val_loss
        return math.inf if loss is None else loss


def test_the_loss_falls_below_the_known_limit_and_explodes_above_it() -> None:
    problem = LinearRegression()

    found = find_lr(problem.trainer())

    # a rate's step shows in the next one's loss
    below = found.losses[: sum(rate < problem.limit for rate in found.rates) + 1]
    assert all(after <= before for before, after in itertools.pairwise(below))
    assert found.ending == "diverged"
    assert problem.limit < found.rates[-1] < 100 * problem.limit
    assert found.losses[-1] > found.losses[0]


def test_the_suggestion_is_below_the_limit_and_learns_more_than_a_hundredth_of_it() -> None:
    problem = LinearRegression()

    suggestion = find_lr(problem.trainer()).suggestion

    assert suggestion is not None
    assert suggestion < problem.limit
    began = find_lr(problem.trainer()).losses[0]
    after = problem.loss_after_training(suggestion)
    assert after < began / 2
    assert after < problem.loss_after_training(suggestion / 100) / 2


def test_a_range_that_lies_above_the_limit_suggests_nothing() -> None:
    problem = LinearRegression()

    found = find_lr(problem.trainer(), lowest=2 * problem.limit, highest=2000 * problem.limit)

    assert (found.suggestion, found.steepest_at, found.lowest_at) == (None, None, None)
    assert found.ending in ("diverged", "not_finite")


def test_a_range_that_lies_far_below_every_useful_rate_suggests_nothing() -> None:
    found = find_lr(trainer_of(), lowest=1e-14, highest=1e-10)

    assert found.suggestion is None
    assert (found.ending, found.message) == ("completed", "all 100 rates were tried")


def test_the_suggestion_was_tried_and_lies_before_the_lowest_loss() -> None:
    found = find_lr(trainer_of())

    assert found.suggestion is not None
    assert found.steepest_at is not None
    assert found.lowest_at is not None
    assert found.suggestion in found.rates
    assert found.suggestion <= found.steepest_at <= found.lowest_at
    smoothed = dict(zip(found.rates, found.smoothed, strict=True))
    assert smoothed[found.lowest_at] == min(found.smoothed)


def test_the_rates_grow_by_the_same_factor_from_the_lowest_to_the_highest() -> None:
    rates = growing_rates(1e-6, 1.0, 13)

    assert (rates[0], rates[-1]) == (1e-6, 1.0)
    assert [after / before for before, after in itertools.pairwise(rates)] == (
        pytest.approx([math.sqrt(10)] * 12)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0, 100), "lowest: found 0.0; allowed: a learning rate above 0"),
        ((-1.0, 1.0, 100), "lowest: found -1.0; allowed: a learning rate above 0"),
        ((math.nan, 1.0, 100), "lowest: found nan; allowed: a learning rate above 0"),
        ((1.0, 1.0, 100), "highest: found 1.0; allowed: above the lowest rate, 1.0"),
        ((1.0, math.inf, 100), "highest: found inf; allowed: above the lowest rate, 1.0"),
        ((1e-7, 1.0, 9), "steps: found 9; allowed: from 10 to 10,000"),
        ((1e-7, 1.0, 10_001), "steps: found 10001; allowed: from 10 to 10,000"),
    ],
)
def test_a_range_that_is_none_is_refused_before_a_step_is_taken(
    arguments: tuple[float, float, int], message: str
) -> None:
    def on_step(step: int, rate: float) -> None:
        raise AssertionError(f"took step {step} at {rate}")

    with pytest.raises(EpochtopError) as error:
        find_lr(trainer_of(), *arguments, on_step=on_step)

    assert str(error.value) == message


each_kind_of_step = pytest.mark.parametrize(
    "overrides",
    [
        ["optim.name=adam"],
        ["optim.name=sgd", "optim.momentum=0.9", "optim.schedule=one_cycle"],
        ["optim.name=adamw", "optim.warmup_epochs=2", "optim.schedule=cosine"],
        ["optim.schedule=plateau", "optim.accumulate=2", "optim.clip_norm=0.1"],
        ["train.precision=bf16"],
        ["train.precision=fp16"],
    ],
    ids=" ".join,
)


@each_kind_of_step
def test_each_step_uses_its_own_rate_whatever_the_schedule_says(overrides: list[str]) -> None:
    trainer, used = trainer_of(*overrides), []

    class Watched:
        def __init__(self, step: Step) -> None:
            self.step = step
            self.scaler = step.scaler

        def __call__(self, batches: Sequence[Batch], losses: LossSum) -> Tensor | None:
            used.append(learning_rate(trainer.optimizer))
            return self.step(batches, losses)

    trainer.take_step = Watched(trainer.take_step)
    told: list[tuple[int, float]] = []

    found = find_lr(trainer, steps=20, on_step=lambda step, rate: told.append((step, rate)))

    assert used == list(found.rates)
    assert told == list(enumerate(found.rates, 1))
    assert len(found.rates) == len(found.losses) == len(found.smoothed)


@each_kind_of_step
def test_training_afterwards_is_as_if_there_had_been_no_test(overrides: list[str]) -> None:
    tested, untested = trainer_of(*overrides), trainer_of(*overrides)

    find_lr(tested)

    assert losses_of(tested) == losses_of(untested)
    assert same(tested.model.state_dict(), untested.model.state_dict())


def losses_of(trainer: Trainer) -> list[float | None]:
    history = trainer.fit().history
    return [loss for record in history for loss in (record.train_loss, record.val_loss)]


@each_kind_of_step
def test_a_trainer_that_has_trained_is_left_where_it_was(overrides: list[str]) -> None:
    trainer = trainer_of(*overrides)
    trainer.fit()
    trainer.model[1].eval()  # type: ignore[index] # of a sequence
    before = state_of(trainer)

    find_lr(trainer)

    assert same(state_of(trainer), before)


def test_a_test_that_is_interrupted_leaves_everything_as_it_was() -> None:
    trainer = trainer_of("optim.name=sgd", "optim.momentum=0.9")
    before, take_step = state_of(trainer), trainer.take_step

    def interrupt(step: int, rate: float) -> None:
        del rate
        if step == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_lr(trainer, on_step=interrupt)

    assert same(state_of(trainer), before)
    assert trainer.take_step is take_step


def test_a_step_that_fails_half_way_leaves_no_gradients() -> None:
    class Fails(nn.Linear):
        calls = 0

        def forward(self, inputs: Tensor) -> Tensor:
            self.calls += self.training
            if self.calls == 8:  # the second batch of a step
                raise RuntimeError("out of order")
            return super().forward(inputs)

    trainer = Trainer(
        Fails(4, 2),
        nn.CrossEntropyLoss(),
        train=rows(64, seed=1),
        val=rows(30, seed=2),
        settings=settings_of("optim.accumulate=2"),
    )

    with pytest.raises(RuntimeError, match="out of order"):
        find_lr(trainer)

    assert [weight.grad for weight in trainer.model.parameters()] == [None, None]


def state_of(trainer: Trainer) -> Any:
    """Everything of a trainer and of the process that training may change, copied."""
    return copied(
        {
            "state": trainer.state(),
            "modes": [module.training for module in trainer.model.modules()],
            "gradients": [weight.grad for weight in trainer.model.parameters()],
            "rate": learning_rate(trainer.optimizer),
            "generators": generators_now(trainer.device),
        }
    )


def copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list | tuple) else value


def same(one: Any, other: Any) -> bool:
    """Whether two nested values are the same to the last bit; a nan is the same as a nan."""
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one.nan_to_num(7.7), other.nan_to_num(7.7))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_the_same_trainer_finds_the_same_twice() -> None:
    trainer = trainer_of()

    assert find_lr(trainer) == find_lr(trainer) == find_lr(trainer_of())


def test_the_batches_are_those_of_training_epoch_after_epoch() -> None:
    seen: list[Tensor] = []

    class Watched(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            if self.training:
                seen.append(inputs.detach().clone())
            return super().forward(inputs)

    def batches_of(act: Callable[[Trainer], object]) -> list[Tensor]:
        seen.clear()
        settings = settings_of("train.epochs=4", "optim.lr=1e-9")
        loss, data = nn.CrossEntropyLoss(), rows(70, seed=1)
        act(Trainer(Watched(4, 2), loss, train=data, val=rows(30, seed=2), settings=settings))
        return list(seen)

    trained = batches_of(Trainer.fit)
    tested = batches_of(lambda trainer: find_lr(trainer, 1e-9, 1e-8, steps=12))

    assert [len(batch) for batch in trained] == [32, 32, 6] * 4
    assert same(tested, trained)


def test_several_batches_of_a_step_make_one_loss() -> None:
    # with vanishing rates the weights stand still; the 70 rows are 3 batches, of 32, 32 and 6
    singly = find_lr(trainer_of(), 1e-30, 1e-29, steps=12)
    paired = find_lr(trainer_of("optim.accumulate=2"), 1e-30, 1e-29, steps=10)
    all_at_once = find_lr(trainer_of("optim.accumulate=3"), 1e-30, 1e-29, steps=10)

    first, second, third = singly.losses[:3]
    assert paired.losses[:2] == pytest.approx([(first + second) / 2, third], rel=1e-5)
    assert all_at_once.losses[0] == pytest.approx(
        (32 * first + 32 * second + 6 * third) / 70, rel=1e-5
    )


def test_a_loss_that_is_no_number_ends_the_test_and_is_no_error() -> None:
    class Breaks(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            outputs = super().forward(inputs)
            broken = self.training and float(self.weight.detach().abs().max()) > 1
            return outputs * math.nan if broken else outputs

    model = Breaks(4, 2)
    trainer = Trainer(
        model,
        nn.CrossEntropyLoss(),
        train=rows(70, seed=1),
        val=rows(30, seed=2),
        settings=settings_of(),
    )
    before = copied(model.state_dict())

    found = find_lr(trainer)

    assert found.ending == "not_finite"
    assert found.message == f"the loss was nan at {found.rates[-1]:.3g}"
    assert math.isnan(found.losses[-1])
    assert math.isnan(found.smoothed[-1])
    assert all(math.isfinite(loss) for loss in (*found.losses[:-1], *found.smoothed[:-1]))
    assert found.suggestion is not None
    assert same(model.state_dict(), before)


def test_a_first_loss_that_is_no_number_suggests_nothing() -> None:
    inputs = torch.full((70, 4), math.nan)
    found = find_lr(trainer_of(train=Split(inputs, torch.zeros(70).long())))

    assert (len(found.rates), found.ending, found.suggestion) == (1, "not_finite", None)


def loader_with_targets(targets: Tensor) -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.randn(len(targets), 4), targets), batch_size=10)


def test_a_batch_in_which_nothing_counts_takes_no_rate() -> None:
    targets = torch.tensor([0, 1] * 20)
    targets[10:20] = -100  # what cross-entropy ignores: the whole second batch

    found = find_lr(trainer_of(train=loader_with_targets(targets)), highest=1e-3, steps=20)

    assert len(found.losses) == 20
    assert all(math.isfinite(loss) for loss in found.losses)


def test_a_batch_of_which_only_the_forward_pass_tells_that_nothing_counts_takes_none_either() -> (
    None
):
    def forward(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
        inputs, targets = batch
        return model(inputs), targets

    targets = torch.tensor([0, 1] * 20)
    targets[10:20] = -100
    trainer = Trainer(
        model_with_everything(),
        nn.CrossEntropyLoss(),
        train=loader_with_targets(targets),
        val=rows(30, seed=2),
        forward=forward,
        settings=settings_of(),
    )

    found = find_lr(trainer, highest=1e-3, steps=20)

    assert len(found.losses) == 20
    assert all(math.isfinite(loss) for loss in found.losses)


def test_data_in_which_nothing_counts_are_refused() -> None:
    with pytest.raises(DataError, match="no target that counts"):
        find_lr(trainer_of(train=loader_with_targets(torch.full((40,), -100))))


def test_a_suggestion_for_noisy_data_is_near_the_rates_that_train_them() -> None:
    found = find_lr(noisy_regression())

    assert isinstance(found, LrRange)
    assert found.suggestion is not None
    assert 1e-4 < found.suggestion < 0.3


def noisy_regression() -> Trainer:
    """Rows of which noise makes up half the loss, so that the batches differ much."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 10, generator=generator)
    targets = inputs[:, :1] * 2 + torch.randn(400, 1, generator=generator) * 2
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
    data = Split(inputs, targets)
    return Trainer(model, nn.MSELoss(), train=data, val=data, settings=settings_of())
