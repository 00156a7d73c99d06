import random
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from epochtop.core import Split, Trainer, resolve_settings
from epochtop.core.batches.rows import EVALUATION_ROWS
from epochtop.core.batches.source import BatchPlan, Data, source_of
from epochtop.core.loss.accounting import accounting_of
from epochtop.core.loss.loss_sum import read_from_device
from epochtop.core.training.evaluation import evaluate

from .plain_loop import weights_of

CPU = torch.device("cpu")


def classes_split(rows: int, *, features: int = 4, classes: int = 3) -> Split:
    generator = torch.Generator().manual_seed(rows)
    return Split(
        torch.randn(rows, features, generator=generator),
        torch.randint(classes, (rows,), generator=generator),
    )


def numbers_split(rows: int, *, features: int = 4) -> Split:
    generator = torch.Generator().manual_seed(rows)
    return Split(
        torch.randn(rows, features, generator=generator),
        torch.randn(rows, 1, generator=generator),
    )


def in_memory(split: Split) -> Data:
    return split


def in_a_loader(split: Split) -> Data:
    return DataLoader(TensorDataset(split.inputs, split.targets), batch_size=7, shuffle=True)


FORMS = [in_memory, in_a_loader]


class Fussy(nn.Module):
    """A model with everything that behaves differently in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.dropout = nn.Dropout(0.5)
        self.frozen_norm = nn.BatchNorm1d(8)
        self.last = nn.Linear(8, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.dropout(self.norm(self.first(inputs)))
        return cast("Tensor", self.last(self.frozen_norm(hidden)))


class Drawing(Fussy):
    """Draws random numbers in evaluation mode."""

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = super().forward(inputs)
        return outputs if self.training else outputs + torch.rand(()) * 1e-3


@pytest.fixture
def fussy() -> Fussy:
    """A model in training mode, of which one layer stays in evaluation mode on purpose."""
    torch.manual_seed(0)
    model = Fussy().train()
    model.frozen_norm.eval()
    return model


def evaluated(
    model: nn.Module, data: Data, loss: nn.Module | None = None
) -> tuple[float, list[Tensor]]:
    """The loss over a split, and each batch's outputs."""
    loss = loss or nn.CrossEntropyLoss()
    accounting = accounting_of(loss)
    source = source_of(data, accounting, BatchPlan(batch_size=32, seed=0, device=CPU))
    outputs: list[Tensor] = []
    losses = evaluate(
        model, loss, accounting, source, CPU, on_batch=lambda batch, *_: outputs.append(batch)
    )
    read_from_device(losses)
    return losses.mean(accounting), outputs


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [Fussy, Drawing])
def test_evaluating_leaves_no_trace(kind: type[Fussy], form: Callable[[Split], Data]) -> None:
    torch.manual_seed(0)
    model = kind().train()
    model.frozen_norm.eval()
    weights, flags = weights_of(model), {name: m.training for name, m in model.named_modules()}
    split = form(classes_split(50))
    generator = torch.get_rng_state()

    evaluated(model, split)

    assert torch.equal(torch.get_rng_state(), generator)
    assert {name: module.training for name, module in model.named_modules()} == flags
    assert flags[""]
    assert not flags["frozen_norm"]
    assert all(torch.equal(weights[name], now) for name, now in model.state_dict().items())
    assert int(weights["norm.num_batches_tracked"]) == 0
    assert all(weight.grad is None for weight in model.parameters())


def test_evaluating_records_no_gradients(fussy: Fussy) -> None:
    _, outputs = evaluated(fussy, classes_split(50))

    assert not any(batch.requires_grad for batch in outputs)


def test_evaluating_twice_gives_the_same_and_that_of_evaluation_mode(fussy: Fussy) -> None:
    split = classes_split(50)
    first, outputs = evaluated(fussy, split)
    second, _ = evaluated(fussy, split)
    with torch.no_grad():
        expected = fussy.eval()(split.inputs)

    assert first == second
    assert torch.equal(torch.cat(outputs), expected)


@pytest.mark.parametrize("form", FORMS)
def test_a_model_that_draws_while_it_is_evaluated_trains_like_one_that_does_not(
    form: Callable[[Split], Data],
) -> None:
    """The dropout after an evaluation is as it would have been without it."""

    def trained(kind: type[Fussy]) -> dict[str, Tensor]:
        torch.manual_seed(0)
        model = kind()
        settings = resolve_settings(overrides=["train.epochs=3", "stopping.restore_best=false"])
        train, val = form(classes_split(50)), form(classes_split(20))
        Trainer(model, nn.CrossEntropyLoss(), train=train, val=val, settings=settings).fit()
        return weights_of(model)

    first, second = trained(Fussy), trained(Drawing)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_model_that_fails_gets_its_training_flags_back_all_the_same(fussy: Fussy) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        evaluated(fussy, classes_split(50, features=7))

    assert fussy.training
    assert not fussy.frozen_norm.training


@pytest.mark.parametrize("chunk_rows", [1, 7, 32, 99, 100, 101, EVALUATION_ROWS])
def test_the_loss_over_chunks_is_that_of_all_rows_at_once(
    fussy: Fussy, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epochtop.core.batches.rows.EVALUATION_ROWS", chunk_rows)
    split = classes_split(100)

    loss, outputs = evaluated(fussy, split)

    with torch.no_grad():
        at_once = nn.functional.cross_entropy(fussy.eval()(split.inputs).double(), split.targets)
    assert loss == pytest.approx(float(at_once), rel=1e-6)
    assert torch.cat(outputs).shape == (100, 3)
    assert {len(batch) for batch in outputs} <= {chunk_rows, 100 % chunk_rows}


def test_the_squared_error_over_chunks_is_that_of_all_rows_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("epochtop.core.batches.rows.EVALUATION_ROWS", 33)
    torch.manual_seed(0)
    model, split = nn.Linear(4, 1), numbers_split(100)

    loss, outputs = evaluated(model, split, nn.MSELoss())

    errors = (torch.cat(outputs) - split.targets).double()
    assert loss == pytest.approx(float(errors.square().mean()), rel=1e-6)


class Wide(nn.Module):
    """A model that makes far more of a row than it takes or returns."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))
        self.most_rows = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.most_rows = max(self.most_rows, len(inputs))
        return cast("Tensor", self.layers(inputs))


@pytest.mark.parametrize(
    ("width", "batch_size", "most_rows"),
    [
        (8, 32, EVALUATION_ROWS),  # a row is small: as many as pay
        (8, 5000, EVALUATION_ROWS),
        (65_536, 16, 32),  # 256 KiB a row, so 32 rows are 8 MiB
        (65_536, 100, 100),  # training itself takes more
    ],
)
def test_evaluation_takes_no_more_memory_than_training_needs(
    width: int, batch_size: int, most_rows: int
) -> None:
    model = Wide(width)
    options = (f"train.batch_size={batch_size}", "train.epochs=1")
    Trainer(
        model,
        nn.CrossEntropyLoss(),
        train=classes_split(60),
        val=classes_split(EVALUATION_ROWS + 10),
        settings=resolve_settings(overrides=options),
    ).run()
    assert model.most_rows == most_rows


class Augmented(Dataset[tuple[Tensor, Tensor]]):
    """Rows with noise of all the generators that people draw from."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        noise = random.random() + float(np.random.rand()) + float(torch.rand(()))  # noqa: S311 - no secret
        return self.split.inputs[index] + noise, self.split.targets[index]


def test_random_augmentation_is_the_same_at_each_evaluation() -> None:
    loader = DataLoader(Augmented(classes_split(20)), batch_size=5)
    model = nn.Linear(4, 3)

    assert evaluated(model, loader)[0] == evaluated(model, loader)[0]
