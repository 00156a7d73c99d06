import math
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score
from torch import nn

from epochtop.core.data import Dataset, Split, load_dataset
from epochtop.core.loss import (
    EVALUATION_ROWS,
    baseline_loss,
    batch_losses,
    build_loss,
    evaluate,
    weighted_mean,
)
from epochtop.core.metrics import accuracy, build_metrics, r2
from epochtop.core.settings import DataSettings


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


class Fussy(nn.Module):
    """A model with everything that behaves differently in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.dropout = nn.Dropout(0.5)
        self.frozen_norm = nn.BatchNorm1d(8)
        self.last = nn.Linear(8, 3)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden = self.dropout(self.norm(self.first(inputs)))
        return cast("torch.Tensor", self.last(self.frozen_norm(hidden)))


@pytest.fixture
def fussy() -> Fussy:
    """A model in training mode, of which one layer stays in evaluation mode on purpose."""
    torch.manual_seed(0)
    model = Fussy().train()
    model.frozen_norm.eval()
    return model


# The mean.

losses_with_rows = st.lists(
    st.tuples(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(1, 4096)),
    min_size=1,
    max_size=50,
)


@given(batches=losses_with_rows)
def test_the_mean_is_that_of_all_rows(batches: list[tuple[float, int]]) -> None:
    losses, rows = zip(*batches, strict=True)
    expected = np.average(np.array(losses, np.longdouble), weights=np.array(rows, np.longdouble))
    scale = max(abs(loss) for loss in losses)
    assert weighted_mean(losses, rows) == pytest.approx(
        float(expected), rel=1e-12, abs=1e-14 * scale
    )


@given(loss=st.floats(0, 100, width=32), batches=st.lists(st.integers(1, 512), min_size=1))
def test_the_mean_of_equal_losses_is_that_loss(loss: float, batches: list[int]) -> None:
    assert weighted_mean([loss] * len(batches), batches) == pytest.approx(loss, rel=1e-15)


def test_a_smaller_last_batch_counts_by_its_rows() -> None:
    assert weighted_mean([1.0, 1.0, 5.0], [32, 32, 1]) == (32 + 32 + 5) / 65


def test_a_million_steps_add_up_without_drift() -> None:
    mean = weighted_mean([0.1] * 1_000_000, [3] * 1_000_000)
    assert mean == pytest.approx(0.1, rel=1e-15)


def test_losses_and_rows_that_do_not_pair_up_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        weighted_mean([1.0, 2.0], [1])


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
    assert weighted_mean(losses, [1, 1]) == pytest.approx(kind, nan_ok=True)


def test_the_losses_of_batches_are_read_in_order() -> None:
    assert batch_losses([torch.tensor(value) for value in (1.0, 0.5, math.inf)]) == [
        1.0,
        0.5,
        math.inf,
    ]


# Evaluation.


def test_evaluating_leaves_every_layers_training_flag(fussy: Fussy) -> None:
    before = {name: module.training for name, module in fussy.named_modules()}
    evaluate(fussy, nn.CrossEntropyLoss(), classes_split(50))
    assert {name: module.training for name, module in fussy.named_modules()} == before
    assert before[""]
    assert not before["frozen_norm"]


def test_evaluating_leaves_weights_and_buffers(fussy: Fussy) -> None:
    before = {name: tensor.clone() for name, tensor in fussy.state_dict().items()}
    evaluate(fussy, nn.CrossEntropyLoss(), classes_split(50))
    assert all(torch.equal(before[name], now) for name, now in fussy.state_dict().items())
    assert int(before["norm.num_batches_tracked"]) == 0


def test_evaluating_draws_no_random_numbers_and_records_no_gradients(fussy: Fussy) -> None:
    before = torch.get_rng_state()
    _, outputs = evaluate(fussy, nn.CrossEntropyLoss(), classes_split(50))
    assert torch.equal(torch.get_rng_state(), before)
    assert not outputs.requires_grad
    assert all(weights.grad is None for weights in fussy.parameters())


def test_evaluating_twice_gives_the_same_and_that_of_evaluation_mode(fussy: Fussy) -> None:
    split = classes_split(50)
    first, outputs = evaluate(fussy, nn.CrossEntropyLoss(), split)
    second, _ = evaluate(fussy, nn.CrossEntropyLoss(), split)
    with torch.no_grad():
        expected = fussy.eval()(split.inputs)
    assert first == second
    assert torch.equal(outputs, expected)


def test_a_model_that_fails_gets_its_training_flags_back_all_the_same(fussy: Fussy) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        evaluate(fussy, nn.CrossEntropyLoss(), classes_split(50, features=7))
    assert fussy.training
    assert not fussy.frozen_norm.training


@pytest.mark.parametrize("chunk_rows", [1, 7, 32, 99, 100, 101, EVALUATION_ROWS])
def test_the_loss_over_chunks_is_that_of_all_rows_at_once(
    fussy: Fussy, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epochtop.core.loss.EVALUATION_ROWS", chunk_rows)
    split = classes_split(100)

    loss, outputs = evaluate(fussy, nn.CrossEntropyLoss(), split)

    with torch.no_grad():
        at_once = nn.functional.cross_entropy(fussy.eval()(split.inputs).double(), split.targets)
    assert loss == pytest.approx(float(at_once), rel=1e-6)
    assert outputs.shape == (100, 3)


def test_the_squared_error_over_chunks_is_that_of_all_rows_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("epochtop.core.loss.EVALUATION_ROWS", 33)
    torch.manual_seed(0)
    model, split = nn.Linear(4, 1), numbers_split(100)

    loss, outputs = evaluate(model, nn.MSELoss(), split)

    assert loss == pytest.approx(
        float((outputs - split.targets).double().square().mean()), rel=1e-6
    )


# The baseline.


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset(DataSettings(source="digits"))


@pytest.fixture(scope="module")
def diabetes() -> Dataset:
    return load_dataset(DataSettings(source="diabetes"))


class Constant(nn.Module):
    """Predicts the same for every row."""

    def __init__(self, outputs: torch.Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.outputs.expand(len(inputs), -1)


def test_the_baseline_of_classes_is_the_loss_of_predicting_their_shares(digits: Dataset) -> None:
    shares = np.bincount(digits.train.targets.numpy()) / len(digits.train)
    constant = Constant(torch.tensor(np.log(shares), dtype=torch.float32))
    loss, _ = evaluate(constant, build_loss(digits), digits.val)
    assert baseline_loss(digits) == pytest.approx(loss, rel=1e-6)
    assert baseline_loss(digits) == pytest.approx(math.log(10), abs=0.02)


def test_the_baseline_of_a_regression_is_the_loss_of_predicting_the_mean(
    diabetes: Dataset,
) -> None:
    constant = Constant(diabetes.train.targets.mean(dim=0))
    loss, _ = evaluate(constant, build_loss(diabetes), diabetes.val)
    assert baseline_loss(diabetes) == pytest.approx(loss, rel=1e-5)


def test_a_class_that_training_never_saw_makes_the_baseline_infinite() -> None:
    train, val = classes_split(50, classes=2), classes_split(50, classes=3)
    dataset = Dataset(train, val, "classification", ("a",) * 4, ("x", "y", "z"))
    assert baseline_loss(dataset) == math.inf


# Metrics.


def test_classes_are_measured_by_accuracy_and_numbers_by_r2(
    digits: Dataset, diabetes: Dataset
) -> None:
    assert build_metrics(digits) == {"val_accuracy": accuracy}
    assert build_metrics(diabetes) == {"val_r2": r2}


@given(rows=st.integers(1, 60), seed=st.integers(0, 1000))
@settings(deadline=None)
def test_accuracy_is_sklearns(rows: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, 3, generator=generator)
    targets = torch.randint(3, (rows,), generator=generator)
    assert accuracy(logits, targets) == pytest.approx(
        accuracy_score(targets.numpy(), logits.argmax(dim=1).numpy())
    )


@given(rows=st.integers(2, 60), seed=st.integers(0, 1000), offset=st.sampled_from([0.0, 1000.0]))
@settings(deadline=None)
def test_r2_is_sklearns(rows: int, seed: int, offset: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randn(rows, 1, generator=generator) + offset
    predictions = targets + torch.randn(rows, 1, generator=generator)
    expected = r2_score(targets.double().numpy(), predictions.double().numpy())
    assert r2(predictions, targets) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_perfect_predictions_have_an_accuracy_and_an_r2_of_one() -> None:
    assert accuracy(torch.eye(3), torch.arange(3)) == 1.0
    assert r2(torch.arange(3.0)[:, None], torch.arange(3.0)[:, None]) == 1.0


@pytest.mark.parametrize("rows", [1, 3, 10, 1000])
def test_r2_of_a_target_that_does_not_vary_is_no_number(rows: int) -> None:
    assert math.isnan(r2(torch.randn(rows, 1), torch.full((rows, 1), 0.1)))
