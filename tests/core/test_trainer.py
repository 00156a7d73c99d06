import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest
import torch
from torch import nn
from torchmetrics.classification import MulticlassAccuracy

from epochtop.core import Settings, Split, Trainer, resolve_settings
from epochtop.core.errors import EpochtopError, LossError, SettingsError, TaskError
from epochtop.core.events import (
    EpochCompleted,
    Event,
    LossNotFinite,
    RunResumed,
    SettingChanged,
    Warned,
)
from epochtop.core.training.interrupt import BetweenSteps, Interrupt

from .plain_loop import weights_of


def settings_of(*overrides: str) -> Settings:
    return resolve_settings(overrides=["train.epochs=5", "stopping.patience=0", *overrides])


def rows(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=generator)
    return Split(inputs, (inputs[:, 0] > 0).long())


def small_model(dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2))


TRAIN, VAL = rows(70, seed=1), rows(30, seed=2)


def trainer_of(
    settings: Settings,
    *,
    model: nn.Module | None = None,
    train: Split = TRAIN,
    on_event: Callable[[Event], None] = lambda _: None,
    between_steps: BetweenSteps = lambda: None,
    metrics: Mapping[str, Any] | None = None,
) -> Trainer:
    return Trainer(
        model or small_model(),
        nn.CrossEntropyLoss(),
        train=train,
        val=VAL,
        settings=settings,
        on_event=on_event,
        between_steps=between_steps,
        metrics=metrics,
    )


def losses(history: Sequence[EpochCompleted]) -> list[float | None]:
    return [loss for record in history for loss in (record.train_loss, record.val_loss)]


def loss_of(model: nn.Module, split: Split) -> float:
    with torch.no_grad():
        return float(nn.CrossEntropyLoss()(model.eval()(split.inputs), split.targets))


# Learning.


def test_a_model_learns() -> None:
    result = trainer_of(settings_of("train.epochs=30")).fit()

    first, last = result.history[0], result.history[-1]
    assert first.val_loss is not None
    assert last.val_loss is not None
    assert last.val_loss < first.val_loss / 2
    assert (result.reason, result.epoch) == ("completed", 30)


def test_three_lines_of_python_train_a_model_with_the_default_settings() -> None:
    model = small_model()
    train, val = (TRAIN.inputs, TRAIN.targets), (VAL.inputs, VAL.targets)
    result = Trainer(model, nn.CrossEntropyLoss(), train=train, val=val).fit()

    epochs = [record.epoch for record in result.history]
    assert epochs == list(range(1, result.epoch + 1))
    best = min(result.history, key=lambda record: record.val_loss or math.inf)
    assert (result.best_epoch, result.best_loss) == (best.epoch, best.val_loss)
    assert result.reason == "early_stopped"  # by the default patience of 10
    assert result.epoch == best.epoch + 10
    assert result.model is model
    assert loss_of(model, VAL) == pytest.approx(best.val_loss, rel=1e-6)


def test_the_same_seed_gives_the_same_losses_to_the_last_bit_with_dropout() -> None:
    first, second = (trainer_of(settings_of(), model=small_model(0.5)).fit() for _ in range(2))

    assert losses(first.history) == losses(second.history)


def test_what_else_the_process_drew_or_trained_before_does_not_matter() -> None:
    alone = trainer_of(settings_of(), model=small_model(0.5)).fit()

    other = settings_of("train.seed=5", "optim.name=sgd", "optim.momentum=0.9", "optim.lr=0.5")
    trainer_of(other, model=small_model(0.2), train=rows(33, seed=9)).fit()
    model = small_model(0.5)
    torch.rand(100)
    after = trainer_of(settings_of(), model=model).fit()

    assert losses(after.history) == losses(alone.history)


def test_another_training_between_two_epochs_does_not_matter() -> None:
    alone = trainer_of(settings_of(), model=small_model(0.5)).fit()

    def train_another(_: Event) -> None:
        trainer_of(settings_of("train.seed=1"), model=small_model(0.5)).fit()

    disturbed = trainer_of(settings_of(), model=small_model(0.5), on_event=train_another).fit()

    assert losses(disturbed.history) == losses(alone.history)


def test_another_seed_shuffles_in_another_order() -> None:
    first = trainer_of(settings_of("train.seed=0")).fit().history
    second = trainer_of(settings_of("train.seed=1")).fit().history

    assert losses(first) != losses(second)


def test_each_epoch_visits_every_row_once_and_counts_its_steps() -> None:
    seen: list[torch.Tensor] = []

    class Watched(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            if self.training:
                seen.append(inputs.detach().clone())
            return super().forward(inputs)

    settings = settings_of("train.epochs=1", "train.batch_size=32")
    result = trainer_of(settings, model=Watched(4, 2)).fit()

    assert [len(batch) for batch in seen] == [32, 32, 6]
    visited = torch.cat(seen)
    assert not torch.equal(visited, TRAIN.inputs)
    assert sorted(visited[:, 0].tolist()) == sorted(TRAIN.inputs[:, 0].tolist())
    assert result.history[0].step == 3


class Normed(nn.Module):
    """Has two layers that behave differently in training mode."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.BatchNorm1d(4), nn.BatchNorm1d(4)
        self.middle, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden = self.second(self.middle(self.first(inputs)))
        return cast("torch.Tensor", self.last(hidden))


def test_a_layer_in_evaluation_mode_stays_so_within_a_model_that_trains() -> None:
    model = Normed()
    model.second.eval()
    before = weights_of(model)

    trainer_of(settings_of(), model=model).fit()

    assert (model.training, model.first.training, model.second.training) == (True, True, False)
    after = weights_of(model)
    assert torch.equal(after["second.running_mean"], before["second.running_mean"])
    assert not torch.equal(after["first.running_mean"], before["first.running_mean"])
    assert not torch.equal(after["second.weight"], before["second.weight"])  # learns all the same


def test_a_model_given_in_evaluation_mode_trains_as_a_whole() -> None:
    model = Normed().eval()
    before = weights_of(model)

    trainer_of(settings_of(), model=model).fit()

    after = weights_of(model)
    assert not torch.equal(after["first.running_mean"], before["first.running_mean"])


def test_weights_that_need_no_gradient_stay_as_they_are() -> None:
    model = Normed()
    model.middle.requires_grad_(requires_grad=False)
    before = weights_of(model)

    trainer_of(settings_of("optim.weight_decay=0.1"), model=model).fit()

    after = weights_of(model)
    assert torch.equal(after["middle.weight"], before["middle.weight"])
    assert not torch.equal(after["last.weight"], before["last.weight"])


# The best and the last weights.


def test_the_model_ends_with_the_weights_of_the_best_epoch_if_asked() -> None:
    result = trainer_of(settings_of("optim.lr=0.3", "train.epochs=40")).fit()

    assert result.best_epoch is not None
    assert result.best_epoch < result.epoch
    assert loss_of(result.model, VAL) == pytest.approx(result.best_loss, rel=1e-6)


def test_the_model_ends_with_the_last_weights_if_not() -> None:
    settings = settings_of("optim.lr=0.3", "train.epochs=40", "stopping.restore_best=false")
    result = trainer_of(settings).fit()

    loss = loss_of(result.model, VAL)
    assert loss == pytest.approx(result.history[-1].val_loss, rel=1e-6)
    assert loss != pytest.approx(result.best_loss, rel=1e-3)


# Ends.


def test_it_stops_when_patience_is_used_up() -> None:
    result = trainer_of(
        settings_of("stopping.patience=3", "stopping.min_delta=1000", "train.epochs=50")
    ).fit()

    assert (result.reason, result.epoch) == ("early_stopped", 4)
    assert "3 epochs in a row" in result.message


def test_it_stops_satisfied_below_a_threshold() -> None:
    result = trainer_of(settings_of("stopping.satisfied_below=0.3", "train.epochs=100")).fit()

    *before, last = [record.val_loss or 0.0 for record in result.history]
    assert result.reason == "early_stopped"
    assert last < 0.3 <= min(before)


def test_a_stop_after_the_epoch_completes_it() -> None:
    asked = Interrupt("epoch", "stopped", "stopped on request")
    wishes = iter([None, None])
    records: list[Event] = []

    result = trainer_of(
        settings_of(), on_event=records.append, between_steps=lambda: next(wishes, asked)
    ).fit()

    assert (result.reason, result.epoch) == ("stopped", 1)
    assert [type(record) for record in records] == [EpochCompleted]


def test_a_stop_now_ends_within_the_epoch_which_does_not_count() -> None:
    wishes = iter([None, None, None, Interrupt("now", "stopped", "stopped on request")])

    trainer = trainer_of(settings_of("train.batch_size=8"), between_steps=lambda: next(wishes))
    result = trainer.fit()

    assert (result.reason, result.epoch, len(result.history)) == ("stopped", 0, 0)
    assert trainer.step == 2


def test_a_stop_now_within_an_evaluation_ends_it_and_a_second_fit_measures_again() -> None:
    undisturbed = trainer_of(settings_of())
    undisturbed.fit()
    calls = 0

    def between_steps() -> Interrupt | None:  # asked before the epoch, three steps, two evaluations
        nonlocal calls
        calls += 1
        return Interrupt("now", "stopped", "stopped on request") if calls == 6 else None

    trainer = trainer_of(settings_of(), between_steps=between_steps)
    assert trainer.fit().epoch == 0
    assert trainer.step == 3

    assert losses(trainer.fit().history) == losses(undisturbed.history)


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


class BadOnce(nn.CrossEntropyLoss):
    """Is infinite at one training step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step, self.bad_step = 0, step

    def forward(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        self.step += outputs.requires_grad
        is_bad = outputs.requires_grad and self.step == self.bad_step
        return super().forward(outputs, targets) * (math.inf if is_bad else 1.0)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_first_step_that_went_wrong_is_named(accumulate: int) -> None:
    records: list[Event] = []
    trainer = Trainer(
        small_model(),
        BadOnce(3 * accumulate),
        train=rows(64 * accumulate, seed=1),
        val=VAL,
        settings=settings_of("train.batch_size=16", f"optim.accumulate={accumulate}"),
        on_event=records.append,
    )
    result = trainer.fit()

    assert isinstance(records[0], LossNotFinite)
    assert (records[0].step, records[0].value) == (3, "inf")
    assert "step 3" in result.message


@pytest.mark.parametrize(
    ("bad_batch", "step"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (9, 4), (14, 6)]
)
def test_the_step_is_right_where_an_epochs_last_step_has_fewer_batches(
    bad_batch: int, step: int
) -> None:
    # seven batches an epoch, and so steps of 3, 3 and 1 of them
    records: list[Event] = []
    options = ("train.batch_size=16", "optim.accumulate=3", "train.epochs=2")
    Trainer(
        small_model(),
        BadOnce(bad_batch),
        train=rows(7 * 16, seed=1),
        val=VAL,
        settings=settings_of(*options),
        on_event=records.append,
    ).fit()

    bad = next(record for record in records if isinstance(record, LossNotFinite))
    assert (bad.which, bad.step) == ("train", step)


def test_going_back_takes_up_the_last_good_epoch_with_a_smaller_rate() -> None:
    records: list[Event] = []
    trainer = Trainer(
        small_model(0.3),
        BadOnce(8),  # of three steps an epoch
        train=TRAIN,
        val=VAL,
        settings=settings_of("train.on_not_finite=go_back", "train.go_back_factor=0.1"),
        on_event=records.append,
    )
    result = trainer.fit()

    bad = [LossNotFinite, LossNotFinite, EpochCompleted]  # in training, so in validation as well
    assert [type(record) for record in records[:5]] == [EpochCompleted, EpochCompleted, *bad]
    went_back, changed = records[5:7]
    assert isinstance(went_back, RunResumed)
    assert (went_back.epoch, went_back.step) == (2, 6)
    assert isinstance(changed, SettingChanged)
    assert (changed.setting, changed.after, changed.by) == ("optim.lr", 0.001, "go_back")
    assert (result.reason, result.epoch) == ("completed", 5)
    assert [record.epoch for record in result.history] == [1, 2, 3, 4, 5]
    assert [record.lr for record in result.history] == [0.01, 0.01, 0.001, 0.001, 0.001]


def test_going_back_ends_after_as_many_times_as_are_allowed() -> None:
    class BadFromTheThirdEpoch(BadOnce):
        def forward(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            self.bad_step = max(7, self.step + 1)
            return super().forward(outputs, targets)

    records: list[Event] = []
    result = Trainer(
        small_model(),
        BadFromTheThirdEpoch(7),
        train=TRAIN,
        val=VAL,
        settings=settings_of("train.on_not_finite=go_back", "train.go_back_times=2"),
        on_event=records.append,
    ).fit()

    assert result.reason == "not_finite"
    assert [record.epoch for record in records if isinstance(record, RunResumed)] == [2, 2]
    assert result.best_epoch == 2


# What is reported.


def test_the_train_loss_in_evaluation_mode_is_of_a_fixed_sample_without_dropout() -> None:
    model = small_model(dropout=0.5)
    train = rows(30, seed=1)
    result = trainer_of(settings_of("train.epochs=1"), model=model, train=train).fit()

    expected = loss_of(model, train)
    assert result.history[0].train_loss_eval == pytest.approx(expected, rel=1e-6)


def test_the_sample_has_as_many_rows_as_the_validation_split_always_the_same() -> None:
    measured: list[torch.Tensor] = []

    class Watched(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            if not self.training and not any(torch.equal(row, VAL.inputs[0]) for row in inputs):
                measured.append(inputs.clone())
            return super().forward(inputs)

    trainer = trainer_of(settings_of("train.epochs=3"), model=Watched(4, 2))
    measured.clear()  # of what was tried before training
    trainer.fit()

    assert [len(inputs) for inputs in measured] == [30] * 3
    assert torch.equal(measured[0], measured[1])
    known = {tuple(row) for row in TRAIN.inputs.tolist()}
    assert {tuple(row) for row in measured[0].tolist()} < known


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
    metrics = {"val_rows": lambda outputs, targets: float(len(outputs) + len(targets))}
    result = trainer_of(settings_of("train.epochs=2"), metrics=metrics).fit()

    assert result.history[-1].metrics == {"val_rows": 60.0}


def test_an_object_of_torchmetrics_measures_each_epoch_anew() -> None:
    model = small_model()
    metric = MulticlassAccuracy(num_classes=2, average="micro")
    settings = settings_of("stopping.restore_best=false")
    result = trainer_of(settings, model=model, metrics={"val_accuracy": metric}).fit()

    with torch.no_grad():
        hits = model.eval()(VAL.inputs).argmax(dim=1) == VAL.targets
    assert result.history[-1].metrics["val_accuracy"] == pytest.approx(float(hits.float().mean()))
    assert len({record.metrics["val_accuracy"] for record in result.history}) > 1


def test_a_metric_that_is_no_number_is_null() -> None:
    result = trainer_of(settings_of("train.epochs=1"), metrics={"odd": lambda *_: math.nan}).fit()

    assert result.history[0].metrics == {"odd": None}


def test_without_a_history_only_events_tell_of_the_epochs() -> None:
    records: list[Event] = []
    trainer = Trainer(
        small_model(),
        nn.CrossEntropyLoss(),
        train=TRAIN,
        val=VAL,
        settings=settings_of(),
        on_event=records.append,
        keep_history=False,
    )

    assert trainer.fit().history == ()
    assert len(records) == 5


# Live changes.


def test_a_new_rate_and_decay_act_from_the_next_step_on() -> None:
    """The same as a loop that gives torch's optimiser other numbers after the fourth step."""
    settings = settings_of("optim.name=sgd", "train.epochs=2", "stopping.restore_best=false")
    trainer = trainer_of(settings)

    def between_steps() -> None:
        if trainer.step == 4 and trainer.settings.optim.lr == 0.01:
            trainer.change("optim.lr", 0.5, "request")
            trainer.change("optim.weight_decay", 0.1, "request")

    events: list[Event] = []
    trainer.between_steps, trainer.on_event = between_steps, events.append
    trainer.fit()

    expected = small_model()
    sgd = torch.optim.SGD(expected.parameters(), lr=0.01)
    batches = [batch for epoch in (1, 2) for batch in trainer.train.epoch(epoch)]
    for number, batch in enumerate(batches):
        if number == 4:
            sgd.param_groups[0].update(lr=0.5, weight_decay=0.1)
        inputs, targets = batch.content
        sgd.zero_grad()
        nn.functional.cross_entropy(expected(inputs), targets).backward()  # type: ignore[no-untyped-call] # torch's
        sgd.step()
    for ours, theirs in zip(trainer.model.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
    changes = [event for event in events if isinstance(event, SettingChanged)]
    assert [(change.setting, change.before, change.after) for change in changes] == [
        ("optim.lr", 0.01, 0.5),
        ("optim.weight_decay", 0.0, 0.1),
    ]


def test_more_epochs_and_another_patience_act_at_once() -> None:
    trainer = trainer_of(settings_of("train.epochs=2"))
    trainer.change("train.epochs", 4, "request")
    assert trainer.fit().epoch == 4

    trainer.change("train.epochs", 50, "request")
    trainer.change("stopping.min_delta", 1000.0, "request")
    trainer.change("stopping.patience", 6, "request")
    result = trainer.fit()

    assert (result.reason, result.epoch) == ("early_stopped", 10)


# What cannot be trained on.

Two = tuple[torch.Tensor, torch.Tensor]
GOOD: Two = (TRAIN.inputs, TRAIN.targets)


@pytest.mark.parametrize(
    ("parts", "kind", "message"),
    [
        ({"model": lambda rows: rows}, TaskError, "model: found a function; allowed: an nn.Module"),
        ({"model": nn.ReLU()}, TaskError, "model: found a ReLU without a parameter"),
        ({"model": nn.LazyLinear(2)}, TaskError, "lazy layers of no shape yet"),
        ({"train": TRAIN.inputs}, TaskError, "train: found a Tensor of shape"),
        ({"train": (TRAIN.inputs,)}, TaskError, "train: found a tuple of 1"),
        ({"train": (*GOOD, None)}, TaskError, "train: found a tuple of 3"),
        ({"val": (TRAIN.inputs, VAL.targets)}, TaskError, "val: found 70 rows of inputs and 30"),
        ({"val": (TRAIN.inputs[:0], TRAIN.targets[:0])}, TaskError, "val: found no row"),
        ({"val": [1, 2]}, TaskError, "val: found a list of 2"),
        ({"metrics": {"loss": 3}}, TaskError, "found an int"),
        ({"loss": "mse"}, LossError, "loss: found 'mse'"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, LossError, "reduction='none'"),
        ({"loss": lambda out, _: out.mean(1)}, LossError, r"loss: found a Tensor of shape \(2,\)"),
        ({"loss": lambda *_: 0.5}, LossError, "loss: found a float for a batch"),
        ({"loss": nn.MSELoss(), "val": (VAL.inputs, torch.zeros(30))}, LossError, "shape"),
        ({"train": (TRAIN.inputs, TRAIN.targets * 0 - 100)}, EpochtopError, "train: found no targ"),
    ],
)
def test_what_cannot_be_trained_on_is_told_before_training(
    parts: dict[str, Any], kind: type[Exception], message: str
) -> None:
    arguments: dict[str, Any] = {
        "model": small_model(),
        "loss": nn.CrossEntropyLoss(),
        "train": (TRAIN.inputs, torch.zeros(70, 2)) if "val" in parts and "loss" in parts else GOOD,
        "val": (VAL.inputs, VAL.targets),
        **parts,
    }

    with pytest.raises(kind, match=message):
        Trainer(arguments.pop("model"), arguments.pop("loss"), **arguments)


def test_outputs_that_a_criterion_would_broadcast_are_refused() -> None:
    numbers = (TRAIN.inputs, TRAIN.inputs[:, 0])

    with pytest.raises(LossError, match=r"outputs of shape \(2, 1\) and targets of shape \(2,\)"):
        Trainer(nn.Linear(4, 1), nn.MSELoss(), train=numbers, val=numbers)


def test_a_setting_that_is_changed_to_nonsense_is_refused_and_nothing_changes() -> None:
    trainer = trainer_of(settings_of())

    with pytest.raises(SettingsError, match=r"optim\.lr"):
        trainer.change("optim.lr", -1.0, "request")
    assert trainer.settings.optim.lr == 0.01


# What was there before.


def test_gradients_of_what_was_tried_out_before_do_not_move_a_weight() -> None:
    untouched, tried = small_model(), small_model()
    (1000 * tried(TRAIN.inputs).sum()).backward()

    results = [
        trainer_of(settings_of("optim.name=sgd"), model=model).fit() for model in (untouched, tried)
    ]

    assert losses(results[0].history) == losses(results[1].history)


def test_training_goes_on_within_the_epoch_that_it_was_interrupted_in() -> None:
    whole = trainer_of(settings_of("train.batch_size=10"), model=small_model(0.5))
    whole.run()
    asks = iter([None] * 12 + [Interrupt("now", "stopped", "enough")])
    trainer = trainer_of(
        settings_of("train.batch_size=10"),
        model=small_model(0.5),
        between_steps=lambda: next(asks, None),
    )

    assert trainer.run()[0] == "stopped"
    assert trainer.run()[0] == "completed"

    assert losses(trainer.history) == losses(whole.history)


class Versioned(nn.Linear):
    """A layer that upgrades the state of its first version."""

    _version = 2

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, metadata: Any, *rest: Any
    ) -> None:
        if metadata.get("version", 1) < 2:
            state_dict[f"{prefix}weight"] = 100 * state_dict[f"{prefix}weight"]
        super()._load_from_state_dict(state_dict, prefix, metadata, *rest)


def test_restored_weights_are_not_upgraded_like_those_of_a_layers_earlier_version() -> None:
    model = nn.Sequential(Versioned(4, 2))
    result = trainer_of(settings_of(), model=model).fit()

    assert loss_of(result.model, VAL) == pytest.approx(result.best_loss)


# What one should know.


def warnings_of(records: Sequence[Event]) -> list[str]:
    return [record.message for record in records if isinstance(record, Warned)]


def test_patience_that_ends_a_run_before_its_plateau_schedule_acts_is_warned_of() -> None:
    records: list[Event] = []
    settings = settings_of("optim.schedule=plateau", "stopping.patience=3")
    trainer = trainer_of(settings, on_event=records.append)
    trainer.fit()
    assert ["patience = 3" in text for text in warnings_of(records)] == [True]

    records.clear()
    trainer.change("stopping.min_delta", 0.1, "request")
    assert warnings_of(records) == []
    trainer.change("stopping.patience", 2, "request")
    assert ["patience = 2" in text for text in warnings_of(records)] == [True]


def test_a_loss_with_weights_of_its_own_is_warned_of() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(3))

        def forward(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return nn.functional.cross_entropy(outputs, targets) * self.scale.exp().mean()

    records: list[Event] = []
    Trainer(
        small_model(),
        Scaled(),
        train=TRAIN,
        val=VAL,
        settings=settings_of(),
        on_event=records.append,
    ).fit()

    (warning,) = warnings_of(records)
    assert "3 parameters of its own, which are neither trained nor saved" in warning
