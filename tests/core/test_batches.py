"""Whatever the data come in, a training sees the batches that its seed says."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from epochtop.core import Settings, Split, Trainer, resolve_settings
from epochtop.core.batches.loaded import Loaded
from epochtop.core.batches.rows import Rows
from epochtop.core.batches.source import Batch, BatchPlan, Data, Forward, Source, source_of
from epochtop.core.errors import DataError, LossError, SettingsError, TaskError
from epochtop.core.events import EpochCompleted, Event, Warned
from epochtop.core.loss.accounting import accounting_of
from epochtop.core.seeds import epoch_order

from .plain_loop import assert_same_weights, weights_of

CPU = torch.device("cpu")
LOSS = nn.CrossEntropyLoss()
PLAN = BatchPlan(batch_size=16, seed=0, device=CPU)


def rows(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 4, generator=generator)
    return Split(inputs, inputs[:, :3].argmax(dim=1))


TRAIN, VAL = rows(70, seed=1), rows(30, seed=2)
IN_MEMORY = TensorDataset(TRAIN.inputs, TRAIN.targets)


class Indexed(Dataset[tuple[Tensor, Tensor]]):
    """The rows of a split, one by one."""

    def __init__(self, split: Split = TRAIN) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.split.inputs[index], self.split.targets[index]


class Streamed(IterableDataset[tuple[Tensor, Tensor]]):
    """The rows of a split, one after the other, nobody knows how many."""

    def __init__(self, split: Split = TRAIN) -> None:
        self.split = split

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(self.split.inputs, self.split.targets, strict=True)


class Augmented(Indexed):
    """Rows with noise from every generator that people draw from."""

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        inputs, targets = super().__getitem__(index)
        noise = random.random() + float(np.random.rand()) + float(torch.rand(()))  # noqa: S311 - no secret
        return inputs + noise, targets


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(4, 3)


def normed() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 3))


def settings_of(*changes: str) -> Settings:
    fixed = ["train.epochs=3", "stopping.patience=0", "stopping.restore_best=false"]
    return resolve_settings(overrides=[*fixed, *changes])


def trained(
    train: Data,
    *changes: str,
    val: Data = VAL,
    model: nn.Module | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    forward: Forward | None = None,
) -> Trainer:
    trainer = Trainer(
        model or linear(),
        LOSS,
        train=train,
        val=val,
        settings=settings_of(*changes),
        on_event=on_event,
        forward=forward,
    )
    trainer.fit()
    return trainer


def assert_same_training(one: Trainer, other: Trainer) -> None:
    """To the last bit."""
    assert [[r.train_loss, r.val_loss, r.train_loss_eval, r.step] for r in one.history] == [
        [r.train_loss, r.val_loss, r.train_loss_eval, r.step] for r in other.history
    ]
    assert_same_weights(one.model, other.model)


def source(data: Data, batch_size: int = 16, **options: Any) -> Source:
    plan = BatchPlan(batch_size=batch_size, seed=0, device=CPU, **options)
    return source_of(data, accounting_of(LOSS), plan)


def first_inputs(batches: Iterator[Batch]) -> list[list[Any]]:
    """The first column of each batch's inputs, whether of a loader or of rows in memory."""
    contents = [batch.content[0] for batch in batches]
    return [(c[0] if isinstance(c, tuple) else c)[:, 0].tolist() for c in contents]


# Rows in memory.


def test_tensors_of_any_form_stay_in_memory() -> None:
    for data in (TRAIN, (TRAIN.inputs, TRAIN.targets), IN_MEMORY):
        assert isinstance(source(data), Rows)
    three = TensorDataset(*IN_MEMORY.tensors, TRAIN.inputs)
    for other in (Indexed(), Streamed(), DataLoader(IN_MEMORY), three):
        assert isinstance(source(other), Loaded)


def test_an_epochs_batches_are_its_order_cut_in_pieces() -> None:
    order = epoch_order(70, seed=0, epoch=3)

    batches = list(source(TRAIN).epoch(3))

    assert [batch.rows for batch in batches] == [16, 16, 16, 16, 6]
    for batch, chosen in zip(batches, torch.split(order, 16), strict=True):
        inputs, targets = batch.content
        assert torch.equal(inputs, TRAIN.inputs[chosen])
        assert torch.equal(targets, TRAIN.targets[chosen])


@pytest.mark.parametrize("limit", [1, 300, 1000, 10_000])
def test_rows_put_in_order_part_by_part_make_the_same_batches(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = first_inputs(source(TRAIN).epoch(1))
    monkeypatch.setattr("epochtop.core.batches.rows._ORDERED_BYTES", limit)  # a row has 16 bytes

    assert first_inputs(source(TRAIN).epoch(1)) == expected


def test_each_batch_counts_what_its_loss_is_divided_by() -> None:
    loss = nn.CrossEntropyLoss(torch.tensor([0.5, 2.0, 1.0]), ignore_index=1)
    accounting = accounting_of(loss)
    plan = BatchPlan(batch_size=16, seed=0, device=CPU)
    for data in (TRAIN, Indexed()):
        for batch in source_of(data, accounting, plan).epoch(1):
            targets = batch.content[-1]
            assert batch.denominator == pytest.approx(accounting.denominator(None, targets))


@pytest.mark.parametrize("skip", [0, 1, 3, 4, 5])
@pytest.mark.parametrize(
    "data",
    [TRAIN, Indexed(), Streamed(), Augmented(), DataLoader(Augmented(), 16, shuffle=True)],
    ids=["rows", "dataset", "stream", "augmented", "loader"],
)
def test_an_epoch_that_goes_on_has_the_batches_that_were_left(data: Data, skip: int) -> None:
    whole = first_inputs(source(data).epoch(2))

    assert first_inputs(source(data).epoch(2, skip=skip)) == whole[skip:]


@pytest.mark.parametrize("skip", [1, 3, 8])
def test_a_batch_lies_at_the_same_place_whether_or_not_others_were_skipped(
    skip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it lies decides how torch rounds: a resumed epoch's losses differed in the last bit."""
    monkeypatch.setattr("epochtop.core.batches.rows._ORDERED_BYTES", 400)  # five batches at a time

    def places(skip: int) -> list[int]:
        batches = source(TRAIN, batch_size=5).epoch(1, skip=skip)
        return [batch.content[0].storage_offset() for batch in batches]

    assert places(skip) == places(0)[skip:]


def test_rows_that_numpy_has_put_anywhere_are_moved_to_where_torch_puts_its_own() -> None:
    numbers = np.arange(4 * 30 + 32, dtype=np.float32)
    first = (16 - numbers.ctypes.data) % 64 // numbers.itemsize
    inputs = torch.from_numpy(numbers[first : first + 120]).view(30, 4)
    moved, as_it_was = source((inputs, VAL.targets)), source(TRAIN)

    assert isinstance(moved, Rows)
    assert isinstance(as_it_was, Rows)
    assert inputs.data_ptr() % 64 == 16
    assert moved.split.inputs.data_ptr() % 64 == 0
    assert torch.equal(moved.split.inputs, inputs)
    assert as_it_was.split.inputs is TRAIN.inputs


def test_the_sample_is_always_the_same_and_the_whole_of_fewer_rows() -> None:
    for data in (TRAIN, Indexed()):
        sample, again = (source(data).sample(30, seed=0) for _ in range(2))
        assert sample is not None
        assert again is not None
        assert sample.num_rows == 30
        assert first_inputs(sample.in_order()) == first_inputs(again.in_order())
        whole = source(data).sample(71, seed=0)
        assert whole is not None
        assert whole.num_rows == 70


# Loaders.


def test_a_dataset_trains_as_its_rows_in_memory_do() -> None:
    assert_same_training(trained(Indexed(), val=Indexed(VAL)), trained(TRAIN))


def test_a_loader_in_order_trains_as_its_batches_say() -> None:
    """Its own batch size counts, not the settings'."""
    loader = DataLoader(IN_MEMORY, batch_size=7)
    trainer = trained(loader, "train.epochs=1", "optim.name=sgd", model=normed().eval())
    assert trainer.step == 10

    assert first_inputs(trainer.train.epoch(1)) == [
        part[:, 0].tolist() for part in torch.split(TRAIN.inputs, 7)
    ]


@pytest.mark.parametrize("shuffles", [True, False])
def test_a_loader_that_shuffles_visits_each_row_once_in_another_order(shuffles: bool) -> None:
    loaded = source(DataLoader(IN_MEMORY, batch_size=16, shuffle=shuffles))

    first, second = (
        [number for batch in first_inputs(loaded.epoch(epoch)) for number in batch]
        for epoch in (1, 2)
    )

    assert sorted(first) == sorted(second) == sorted(TRAIN.inputs[:, 0].tolist())
    assert (first != second) == shuffles
    assert first_inputs(loaded.epoch(1)) == first_inputs(loaded.epoch(1))


class ByEpoch(Sampler[int]):
    """An order of its own for each epoch, as distributed samplers have one."""

    def __init__(self) -> None:
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return 70

    def __iter__(self) -> Iterator[int]:
        return iter([(7 * self.epoch + index) % 70 for index in range(70)])


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


LOADERS: dict[str, Callable[[], Data]] = {
    "dataset": Indexed,
    "augmented": Augmented,
    "stream": Streamed,
    "shuffled": lambda: DataLoader(IN_MEMORY, batch_size=16, shuffle=True),
    "own generator": lambda: DataLoader(IN_MEMORY, 16, shuffle=True, generator=seeded()),
    "drop_last": lambda: DataLoader(IN_MEMORY, 16, shuffle=True, drop_last=True),
    "sampler": lambda: DataLoader(Augmented(), 16, sampler=ByEpoch()),
    "batch_sampler": lambda: DataLoader(
        Augmented(),
        batch_sampler=BatchSampler(RandomSampler(IN_MEMORY, generator=seeded()), 16, False),
    ),
}


@pytest.mark.parametrize("name", LOADERS)
def test_the_same_seed_gives_the_same_training(name: str) -> None:
    """Whatever was drawn before, and with dropout; another seed gives another one."""
    make = LOADERS[name]
    first = trained(make(), model=normed())
    random.random()  # noqa: S311 - no secret
    np.random.rand()
    torch.rand(1)
    second = trained(make(), model=normed())
    other = trained(make(), "train.seed=1", model=normed())

    assert_same_training(first, second)
    assert first.history[-1].train_loss != other.history[-1].train_loss


def test_the_loader_given_twice_trains_twice_the_same() -> None:
    loader = DataLoader(Augmented(), 16, shuffle=True, generator=seeded())

    assert_same_training(trained(loader, val=loader), trained(loader, val=loader))


def test_drop_last_drops_what_it_drops_in_any_other_loop() -> None:
    trainer = trained(DataLoader(IN_MEMORY, batch_size=16, drop_last=True), "train.epochs=2")

    assert trainer.step == 8


def test_a_batch_samplers_batches_are_taken_as_they_are() -> None:
    sizes = [[0, 1, 2], [3], list(range(4, 70))]

    class Uneven(Sampler[list[int]]):
        def __iter__(self) -> Iterator[list[int]]:
            return iter(sizes)

        def __len__(self) -> int:
            return 3

    loader = DataLoader(IN_MEMORY, batch_sampler=Uneven())
    changes = ["optim.name=sgd", "optim.lr=1e-30", "train.epochs=1"]
    trainer = trained(loader, *changes)

    with torch.no_grad():
        expected = float(LOSS(linear()(TRAIN.inputs).double(), TRAIN.targets))
    assert trainer.step == 3
    assert trainer.history[0].train_loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_train_as_loading_in_the_same_process_does(persistent: bool) -> None:
    def loader(workers: int) -> Data:
        return DataLoader(
            Indexed(),
            16,
            shuffle=True,
            num_workers=workers,
            persistent_workers=persistent and workers > 0,
        )

    assert_same_training(trained(loader(2), "train.epochs=2"), trained(loader(0), "train.epochs=2"))


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_random_augmentation_in_workers_follows_from_the_seed() -> None:
    first, second = (
        trained(DataLoader(Augmented(), 16, num_workers=2), "train.epochs=2") for _ in range(2)
    )

    assert_same_training(first, second)


def test_the_time_spent_waiting_for_data_is_recorded() -> None:
    loaded, in_memory = trained(Indexed()), trained(TRAIN)

    for record in loaded.history:
        assert record.data_seconds is not None
        assert record.seconds is not None
        assert 0 < record.data_seconds < record.seconds
    assert {record.data_seconds for record in in_memory.history} == {None}


# Streams.


def test_a_stream_trains_as_its_rows_in_that_order_do() -> None:
    trainer = trained(Streamed(), val=Streamed(VAL))
    in_order = trained(DataLoader(IN_MEMORY, batch_size=32), val=DataLoader(Indexed(VAL), 32))

    assert (trainer.train.num_rows, trainer.train.num_batches) == (None, None)
    assert_same_weights(trainer.model, in_order.model)
    assert {record.train_loss_eval for record in trainer.history} == {None}


def test_a_schedule_by_steps_needs_data_of_known_length() -> None:
    with pytest.raises(SettingsError, match="one_cycle"):
        trained(Streamed(), "optim.schedule=one_cycle")

    assert trained(DataLoader(IN_MEMORY, 16), "optim.schedule=one_cycle").step == 15


def test_a_stream_that_does_not_begin_anew_ends_the_training_with_the_reason() -> None:
    class Once(IterableDataset[Any]):
        def __init__(self) -> None:
            self.rows = iter(Streamed())

        def __iter__(self) -> Iterator[Any]:
            return self.rows

    records: list[Event] = []
    with pytest.raises(DataError, match="train: found nothing that counts in the loss in epoch 2"):
        trained(Once(), on_event=records.append)
    assert [type(record) for record in records] == [EpochCompleted]


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_loader_of_ignored_targets_alone_is_refused(split: str) -> None:
    ignored = DataLoader(TensorDataset(TRAIN.inputs, torch.full((70,), -100)), batch_size=16)
    data: dict[str, Data] = {"train": TRAIN, "val": VAL, split: ignored}

    with pytest.raises(DataError, match=f"{split}: found nothing that counts"):
        trained(data["train"], val=data["val"])


# Batches of other forms, and models that return more than logits.


class Outputs(NamedTuple):
    logits: Tensor
    hidden: Tensor


class Returning(nn.Module):
    """Takes two inputs and returns its logits in some form."""

    def __init__(self, form: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.form = linear(), form

    def forward(self, first: Tensor, second: Tensor) -> Any:
        logits = self.layer(torch.cat([first, second], dim=1))
        return self.form(logits, first)


def as_tuple(items: Sequence[Any]) -> tuple[Tensor, Tensor, Tensor]:
    inputs, targets = default_collate(list(items))
    return inputs[:, :1], inputs[:, 1:], targets


def as_dict(items: Sequence[Any]) -> dict[str, Tensor]:
    first, second, targets = as_tuple(items)
    return {"second": second, "labels": targets, "first": first}


def as_nested(items: Sequence[Any]) -> dict[str, Any]:
    first, second, targets = as_tuple(items)
    return {"rows": (first, [second]), "answers": {"targets": targets}}


def own_forward(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
    first, (second,) = batch["rows"]
    return model(first, second)["logits"], batch["answers"]["targets"]


@pytest.mark.parametrize(
    ("collate", "form", "forward"),
    [
        (as_tuple, lambda logits, _: logits, None),
        (as_tuple, lambda logits, hidden: (logits, hidden), None),
        (as_dict, lambda logits, hidden: {"hidden": hidden, "logits": logits}, None),
        (as_dict, Outputs, None),
        (as_nested, lambda logits, _: {"logits": logits}, own_forward),
    ],
    ids=["three items", "outputs in a tuple", "dicts", "named tuple", "own forward"],
)
def test_batches_and_outputs_of_any_form_train_as_plain_ones(
    collate: Callable[..., Any], form: Callable[..., Any], forward: Forward | None
) -> None:
    train, val = (
        DataLoader(Indexed(split), batch_size=16, shuffle=True, collate_fn=collate)
        for split in (TRAIN, VAL)
    )
    trainer = trained(train, val=val, model=Returning(form), forward=forward)
    plain = trained(
        DataLoader(IN_MEMORY, 16, shuffle=True), val=DataLoader(Indexed(VAL), 16, shuffle=True)
    )

    assert [record.train_loss for record in trainer.history] == pytest.approx(
        [record.train_loss for record in plain.history], rel=1e-12
    )
    # measured on a fixed part of the training rows, collated alike
    assert [record.train_loss_eval for record in trainer.history] == pytest.approx(
        [record.train_loss_eval for record in plain.history], rel=1e-12
    )


def test_a_forward_of_ones_own_works_on_rows_in_memory_too() -> None:
    def forward(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
        inputs, targets = batch
        return model(inputs), targets

    assert_same_training(trained(TRAIN, forward=forward), trained(TRAIN))


def test_a_dataset_that_gives_whole_batches_trains() -> None:
    class Batched(Dataset[Any]):
        def __len__(self) -> int:
            return 7

        def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
            if index >= 7:
                raise IndexError
            chosen = slice(10 * index, 10 * index + 10)
            return TRAIN.inputs[chosen], TRAIN.targets[chosen]

    trainer = trained(DataLoader(Batched(), batch_size=None))
    in_order = trained(DataLoader(IN_MEMORY, batch_size=10))

    assert (trainer.train.num_rows, trainer.train.num_batches) == (None, 7)
    assert_same_weights(trainer.model, in_order.model)


# What a loader gives is looked at before the first step.


def test_a_batch_of_no_known_form_is_refused() -> None:
    loader: Data = DataLoader(cast("Dataset[Tensor]", TRAIN.inputs), batch_size=16)

    with pytest.raises(TaskError, match="a batch: found a Tensor"):
        trained(loader)


def test_targets_that_would_be_broadcast_are_refused_before_the_first_step() -> None:
    numbers = TensorDataset(TRAIN.inputs, TRAIN.inputs[:, 0])
    model = nn.Linear(4, 1)
    before = weights_of(model)
    trainer = Trainer(
        model, nn.MSELoss(), train=DataLoader(numbers, 16), val=DataLoader(numbers, 16)
    )

    with pytest.raises(LossError, match=r"outputs of shape \(16, 1\) and targets of shape \(16,\)"):
        trainer.fit()
    assert all(torch.equal(before[name], now) for name, now in weights_of(model).items())


# Batches of one row.


def warnings_of(data: Data, *changes: str, val: Data = VAL, model: nn.Module) -> list[str]:
    messages: list[str] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Warned):
            messages.append(event.message)

    trained(data, *changes, val=val, model=model, on_event=on_event)
    return messages


def test_a_last_row_joins_the_batch_before_for_batch_normalisation() -> None:
    seen: list[int] = []

    class Watched(nn.BatchNorm1d):
        def forward(self, inputs: Tensor) -> Tensor:
            if self.training:
                seen.append(len(inputs))
            return super().forward(inputs)

    model = nn.Sequential(Watched(4), linear())
    (message,) = warnings_of(TRAIN, "train.batch_size=23", model=model)

    assert seen == [23, 23, 24] * 3
    assert "the last row of each epoch joins the batch before it" in message


def test_a_loaders_batch_of_one_row_is_left_out_for_batch_normalisation() -> None:
    model = nn.Sequential(nn.BatchNorm1d(4), linear())
    loader = DataLoader(IN_MEMORY, batch_size=23)
    left_out = DataLoader(IN_MEMORY, batch_size=23, drop_last=True)
    (message,) = warnings_of(loader, model=model)

    assert "the loader's batches of one row are left out" in message
    other = trained(left_out, model=nn.Sequential(nn.BatchNorm1d(4), linear()))
    assert_same_weights(model, other.model)
    assert [b.rows for b in source(loader, needs_two_rows=True).epoch(1, skip=2)] == [23]


@pytest.mark.parametrize("data", [TRAIN, DataLoader(IN_MEMORY, batch_size=23)])
def test_without_batch_normalisation_in_training_each_row_counts(data: Data) -> None:
    frozen = nn.Sequential(nn.BatchNorm1d(4), linear())
    frozen[0].eval()
    for model in (linear(), frozen):
        trainer = trained(data, "train.batch_size=23", model=model)
        assert trainer.history[0].step == 4
        assert warnings_of(data, "train.batch_size=23", model=model) == []


def test_a_loader_of_single_rows_is_left_to_torch() -> None:
    """To leave all of them out would train nothing."""
    model = nn.Sequential(nn.BatchNorm1d(4), linear())

    with pytest.raises(ValueError, match="more than 1 value per channel"):
        trained(DataLoader(IN_MEMORY, batch_size=1), model=model)


def test_evaluation_takes_any_number_of_rows() -> None:
    val = DataLoader(Indexed(VAL), batch_size=29)
    model = nn.Sequential(nn.BatchNorm1d(4), linear())

    assert warnings_of(TRAIN, val=val, model=model) == []
    loss = trained(TRAIN, val=val, model=model).history[-1].val_loss
    assert loss is not None
    assert math.isfinite(loss)


class Tripled(TensorDataset):
    """Changes the rows of its tensors."""

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        inputs, targets = (tensor[index] for tensor in self.tensors)
        return 3 * inputs, targets


def test_a_tensor_data_set_that_changes_its_rows_is_asked_for_them() -> None:
    source = source_of(Tripled(torch.ones(6, 2), torch.zeros(6)), accounting_of(nn.MSELoss()), PLAN)
    (batch,) = source.in_order()
    (inputs,), *_ = batch.content
    assert torch.equal(inputs, torch.full((6, 2), 3.0))


def numbered(count: int = 50) -> TensorDataset:
    return TensorDataset(torch.arange(float(count))[:, None], torch.zeros(count))


SAMPLERS: dict[str, tuple[dict[str, Any], set[int]]] = {
    "a subset": ({"sampler": SubsetRandomSampler(range(40))}, set(range(40))),
    "weights": (
        {"sampler": WeightedRandomSampler([0.0] * 20 + [1.0] * 30, num_samples=99)},
        set(range(20, 50)),
    ),
    "batches": ({"batch_sampler": [[1, 2], [3, 5, 7]]}, {1, 2, 3, 5, 7}),
    "all in order": ({}, set(range(50))),
    "all": ({"shuffle": True}, set(range(50))),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_rows_that_a_loader_never_draws_are_in_no_sample_of_its_rows(name: str) -> None:
    options, drawn = SAMPLERS[name]
    source = source_of(DataLoader(numbered(), **options), accounting_of(nn.MSELoss()), PLAN)

    assert source.num_rows == len(drawn)
    for count in (None, 3):
        sample = source.sample(count, seed=0)
        assert sample is not None
        rows = [int(row) for batch in sample.in_order() for row in batch.content[0][0]]
        assert set(rows) <= drawn
        assert len(rows) == len(set(rows)) == (count or len(drawn))
