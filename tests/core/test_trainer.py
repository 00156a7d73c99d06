import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from epochtop.core import Settings, Split, Trainer, resolve_settings
from epochtop.core.events import EpochCompleted, Event, LossNotFinite
from epochtop.core.interrupt import Interrupt


def settings_of(*overrides: str) -> Settings:
    return resolve_settings(overrides=["train.epochs=5", "stopping.patience=0", *overrides])


def rows(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=generator)
    return Split(inputs, (inputs[:, 0] > 0).long())


def small_model(dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2))


def trainer_of(
    settings: Settings,
    *,
    model: nn.Module | None = None,
    train: Split | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    interrupt: Callable[[], Interrupt | None] = lambda: None,
) -> Trainer:
    return Trainer(
        model or small_model(),
        nn.CrossEntropyLoss(),
        train=train or rows(70, seed=1),
        val=rows(30, seed=2),
        settings=settings,
        on_event=on_event,
        interrupt=interrupt,
    )


def losses(history: list[EpochCompleted] | tuple[EpochCompleted, ...]) -> list[float | None]:
    return [loss for record in history for loss in (record.train_loss, record.val_loss)]


def test_a_model_learns() -> None:
    result = trainer_of(settings_of("train.epochs=30")).fit()

    first, last = result.history[0], result.history[-1]
    assert first.val_loss is not None
    assert last.val_loss is not None
    assert last.val_loss < first.val_loss / 2
    assert (result.reason, result.epoch) == ("completed", 30)


def test_the_same_seed_gives_the_same_losses_to_the_last_bit_with_dropout() -> None:
    histories = [trainer_of(settings_of(), model=small_model(0.5)).fit().history for _ in range(2)]

    assert losses(tuple(histories[0])) == losses(tuple(histories[1]))


def test_another_seed_shuffles_in_another_order() -> None:
    first = trainer_of(settings_of("train.seed=0")).fit().history
    second = trainer_of(settings_of("train.seed=1")).fit().history

    assert losses(tuple(first)) != losses(tuple(second))


def test_each_epoch_visits_every_row_once_and_counts_its_steps() -> None:
    seen: list[torch.Tensor] = []

    class Watched(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            if self.training:
                seen.append(inputs.detach().clone())
            return super().forward(inputs)

    train = rows(70, seed=1)
    result = trainer_of(
        settings_of("train.epochs=1", "train.batch_size=32"), model=Watched(4, 2), train=train
    ).fit()

    assert [len(batch) for batch in seen] == [32, 32, 6]
    visited = torch.cat(seen)
    assert not torch.equal(visited, train.inputs)
    assert sorted(visited[:, 0].tolist()) == sorted(train.inputs[:, 0].tolist())
    assert result.history[0].step == 3


def test_the_train_loss_weighs_a_smaller_last_batch_by_its_rows() -> None:
    train = rows(70, seed=1)
    model = small_model()
    with torch.no_grad():
        expected = float(nn.CrossEntropyLoss()(model(train.inputs), train.targets))

    # with a vanishing rate the weights stand still, so the epoch's mean is the whole set's
    result = trainer_of(
        settings_of("train.epochs=1", "optim.name=sgd", "optim.lr=1e-30"), model=model, train=train
    ).fit()

    assert result.history[0].train_loss == pytest.approx(expected, rel=1e-6)


def test_the_model_ends_with_the_weights_of_the_best_epoch_if_asked() -> None:
    settings = settings_of("optim.lr=0.3", "train.epochs=40")
    restored = trainer_of(settings)
    result = restored.fit()

    assert result.best_epoch is not None
    assert result.best_epoch < result.epoch
    with torch.no_grad():
        loss = float(nn.CrossEntropyLoss()(result.model(restored.val.inputs), restored.val.targets))
    assert loss == pytest.approx(result.best_loss, rel=1e-6)


def test_the_model_ends_with_the_last_weights_if_not() -> None:
    settings = settings_of("optim.lr=0.3", "train.epochs=40", "stopping.restore_best=false")
    kept = trainer_of(settings)
    result = kept.fit()

    with torch.no_grad():
        loss = float(nn.CrossEntropyLoss()(result.model(kept.val.inputs), kept.val.targets))
    assert loss == pytest.approx(result.history[-1].val_loss, rel=1e-6)
    assert loss != pytest.approx(result.best_loss, rel=1e-3)


def test_it_stops_when_patience_is_used_up() -> None:
    result = trainer_of(
        settings_of("stopping.patience=3", "stopping.min_delta=1000", "train.epochs=50")
    ).fit()

    assert (result.reason, result.epoch) == ("early_stopped", 4)
    assert "3 epochs in a row" in result.message


def test_a_stop_after_the_epoch_completes_it() -> None:
    asked = Interrupt("epoch", "stopped", "stopped on request")
    records: list[Event] = []

    result = trainer_of(settings_of(), on_event=records.append, interrupt=lambda: asked).fit()

    assert (result.reason, result.epoch) == ("stopped", 1)
    assert [type(record) for record in records] == [EpochCompleted]


def test_a_stop_now_ends_within_the_epoch_which_does_not_count() -> None:
    steps = iter([None, None, Interrupt("now", "stopped", "stopped on request")])

    trainer = trainer_of(settings_of("train.batch_size=8"), interrupt=lambda: next(steps))
    result = trainer.fit()

    assert (result.reason, result.epoch, len(result.history)) == ("stopped", 0, 0)
    assert trainer.step == 2


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_null_says_where_and_ends_the_run(bad: float) -> None:
    train = rows(70, seed=1)
    train.inputs[:] = bad
    records: list[Event] = []

    result = trainer_of(settings_of(), train=train, on_event=records.append).fit()

    assert result.reason == "not_finite"
    first, *_, last = records
    assert isinstance(first, LossNotFinite)
    assert (first.which, first.epoch, first.step) == ("train", 1, 1)
    assert isinstance(last, EpochCompleted)
    assert last.train_loss is None
    assert last.stopping.best_epoch is None
    assert result.best_epoch is None


def test_the_first_step_that_went_wrong_is_named() -> None:
    train = rows(64, seed=1)
    calls = 0

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        factor = math.inf if calls == 3 else 1.0
        return nn.functional.cross_entropy(outputs, targets) * factor

    records: list[Event] = []
    trainer = Trainer(
        small_model(),
        loss,
        train=train,
        val=rows(8, seed=2),
        settings=settings_of("train.batch_size=16"),
        on_event=records.append,
    )
    result = trainer.fit()

    assert isinstance(records[0], LossNotFinite)
    assert (records[0].step, records[0].value) == (3, "inf")
    assert "step 3" in result.message


def test_the_train_loss_in_evaluation_mode_is_of_a_fixed_sample_without_dropout() -> None:
    model = small_model(dropout=0.5)
    trainer = trainer_of(settings_of("train.epochs=1"), model=model, train=rows(30, seed=1))
    result = trainer.fit()

    model.eval()
    with torch.no_grad():
        expected = float(nn.CrossEntropyLoss()(model(trainer.train.inputs), trainer.train.targets))
    assert result.history[0].train_loss_eval == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_the_penalty_is_the_term_that_weight_decay_is_the_gradient_of(optimiser: str) -> None:
    trainer = trainer_of(
        settings_of("train.epochs=1", f"optim.name={optimiser}", "optim.weight_decay=0.02")
    )
    record = trainer.fit().history[0]

    weights = [weight.detach().double() for weight in trainer.model.parameters()]
    squares = sum(float(weight.square().sum()) for weight in weights)
    assert record.penalty == pytest.approx(0.01 * squares, rel=1e-9)


def test_adamw_has_no_penalty_for_its_decay_is_no_gradient() -> None:
    settings = settings_of("train.epochs=1", "optim.name=adamw", "optim.weight_decay=0.02")

    assert trainer_of(settings).fit().history[0].penalty is None


def test_the_cosine_schedule_falls_to_zero_over_the_epochs() -> None:
    result = trainer_of(settings_of("optim.schedule=cosine", "optim.lr=0.1")).fit()

    expected = [0.05 * (1 + math.cos(math.pi * epoch / 5)) for epoch in range(5)]
    assert [record.lr for record in result.history] == pytest.approx(expected)


def test_metrics_are_measured_on_the_validation_rows() -> None:
    trainer = Trainer(
        small_model(),
        nn.CrossEntropyLoss(),
        train=rows(70, seed=1),
        val=rows(30, seed=2),
        settings=settings_of("train.epochs=2"),
        metrics={"val_rows": lambda outputs, targets: float(len(outputs) + len(targets))},
    )

    assert trainer.fit().history[-1].metrics == {"val_rows": 60.0}
