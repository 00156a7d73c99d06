"""The baseline is the loss of a constant, measured with torch's own criterion in float64."""

import copy
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody gives it
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from epochtop.core.errors import LossError
from epochtop.core.loss.baseline import baseline_losses

Loss = Callable[[Tensor, Tensor], Tensor]
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
TRAIN, VAL, CLASSES = 60, 23, 3


def baseline_loss(loss: Loss, train: Tensor, val: Tensor, num_outputs: int | None) -> float | None:
    """The constant's validation loss, for outputs of so many numbers a row."""
    found = baseline_losses(loss, train, val, None if num_outputs is None else (num_outputs,))
    return None if found is None else found.val


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def draw_classes(*shape: int, seed: int = 0, classes: int = CLASSES) -> Tensor:
    """Classes of unequal shares, each of which occurs."""
    drawn = torch.rand(shape, generator=torch.Generator().manual_seed(seed)).square() * classes
    drawn.view(-1)[:classes] = torch.arange(classes)
    return drawn.long()


def loss_of_constant(loss: nn.Module, constant: Tensor, targets: Tensor) -> float:
    """What the criterion itself says of a constant output, (classes,) or of a row's shape."""
    loss = copy.deepcopy(loss).double()
    floating = targets.is_floating_point()
    if isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss):
        positions = targets.shape[2:] if floating else targets.shape[1:]
        constant = constant.reshape(-1, *[1] * len(positions)).expand(-1, *positions)
    outputs = constant.double().expand(len(targets), *constant.shape)
    return float(loss(outputs, targets.double() if floating else targets))


def assert_best_constant(
    loss: nn.Module, constant: Tensor, train: Tensor, val: Tensor, num_outputs: int | None = None
) -> None:
    """The baselines are the constant's losses, and no other has a lower training loss."""
    lowest = loss_of_constant(loss, constant, train)
    shape = None if num_outputs is None else (num_outputs,)
    found = baseline_losses(loss, train, val, shape)
    assert found is not None
    assert found.val == pytest.approx(loss_of_constant(loss, constant, val), rel=1e-9)
    assert found.train == pytest.approx(lowest, rel=1e-9)
    for seed in range(8):
        other = constant + draw(*constant.shape, seed=seed).double() * 0.05
        if isinstance(loss, nn.NLLLoss):
            other = other.log_softmax(0)
        if isinstance(loss, nn.BCELoss):
            other = other.clamp(0, 1)
        assert loss_of_constant(loss, other, train) >= lowest * (1 - 1e-12)


def log_prior(
    targets: Tensor, weight: Sequence[float], *, smoothing: float = 0.0, ignored: int = -100
) -> Tensor:
    """The logarithms of the classes' weighted, smoothed shares, counted one by one."""
    masses = [0.0] * len(weight)
    for target in targets.flatten().tolist():
        if target != ignored:
            for index in range(len(weight)):
                wanted = (1 - smoothing) * (index == target) + smoothing / len(weight)
                masses[index] += weight[index] * wanted
    return torch.tensor([math.log(mass / sum(masses)) for mass in masses], dtype=torch.float64)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
@pytest.mark.parametrize("weight", [[1.0, 1.0, 1.0], [0.5, 3.0, 1.0]])
@pytest.mark.parametrize(("smoothing", "ignored"), [(0.0, -100), (0.2, -100), (0.0, 255), (0.2, 1)])
def test_classes_are_predicted_by_their_weighted_smoothed_shares(
    shape: tuple[int, ...], weight: list[float], smoothing: float, ignored: int
) -> None:
    train, val = draw_classes(TRAIN, *shape), draw_classes(VAL, *shape, seed=1)
    train[5:9] = ignored
    val[3:5] = ignored
    loss = nn.CrossEntropyLoss(
        torch.tensor(weight), ignore_index=ignored, label_smoothing=smoothing
    )
    prior = log_prior(train, weight, smoothing=smoothing, ignored=ignored)
    assert_best_constant(loss, prior, train, val, CLASSES)


def test_the_negative_log_likelihood_has_the_same_baseline() -> None:
    train, val, weight = draw_classes(TRAIN), draw_classes(VAL, seed=1), [0.5, 3.0, 1.0]
    loss = nn.NLLLoss(torch.tensor(weight))
    assert_best_constant(loss, log_prior(train, weight), train, val)


@pytest.mark.parametrize("shape", [(CLASSES,), (CLASSES, 2, 3)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_class_probabilities_are_predicted_by_their_mean(
    shape: tuple[int, ...], smoothing: float
) -> None:
    train, val = draw(TRAIN, *shape).softmax(1), draw(VAL, *shape, seed=1).softmax(1)
    weight = torch.tensor([0.5, 3.0, 1.0])
    shares = train.double().movedim(1, -1).reshape(-1, CLASSES).mean(0)
    masses = weight * ((1 - smoothing) * shares + smoothing / CLASSES)
    loss = nn.CrossEntropyLoss(weight, label_smoothing=smoothing)
    assert_best_constant(loss, (masses / masses.sum()).log(), train, val)


def test_equal_classes_cost_the_logarithm_of_their_number() -> None:
    targets = torch.arange(12) % 4
    assert baseline_loss(nn.CrossEntropyLoss(), targets, targets, 4) == pytest.approx(math.log(4))


def test_a_class_that_training_never_saw_makes_the_baseline_infinite() -> None:
    train, val = torch.tensor([0, 1, 1]), torch.tensor([0, 1, 2])
    for num_outputs in (3, None):
        assert baseline_loss(nn.CrossEntropyLoss(), train, val, num_outputs) == math.inf
    smoothed = nn.CrossEntropyLoss(label_smoothing=0.1)
    assert math.isfinite(baseline_loss(smoothed, train, val, 3) or math.inf)


def test_a_class_that_only_training_saw_or_that_is_ignored_costs_nothing() -> None:
    train, val = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 255, 255])
    loss = nn.CrossEntropyLoss(ignore_index=255)
    for num_outputs in (3, 7, None):
        assert baseline_loss(loss, train, val, num_outputs) == pytest.approx(math.log(4))


def test_a_class_of_weight_zero_costs_nothing_though_its_share_is_zero() -> None:
    train, val = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 2])
    loss = nn.CrossEntropyLoss(torch.tensor([1.0, 1.0, 0.0]))
    expected = -(math.log(2 / 3) + math.log(1 / 3)) / 2
    assert baseline_loss(loss, train, val, 3) == pytest.approx(expected)


def test_without_a_target_that_counts_there_is_no_baseline() -> None:
    counts, ignored = torch.tensor([0, 1]), torch.tensor([-100, -100])
    assert baseline_loss(nn.CrossEntropyLoss(), ignored, counts, 2) is None
    assert math.isnan(baseline_loss(nn.CrossEntropyLoss(), counts, ignored, 2) or 0.0)
    assert baseline_loss(nn.CrossEntropyLoss(), ignored, ignored, None) is None


def test_smoothing_over_an_unknown_number_of_classes_has_no_baseline() -> None:
    targets = torch.tensor([0, 1])
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    assert baseline_loss(loss, targets, targets, None) is None
    assert baseline_loss(loss, targets, targets, 2) is not None


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_class_beyond_the_outputs_is_an_error_that_says_so(wrong: int) -> None:
    targets = torch.tensor([0, 1, wrong])
    with pytest.raises(LossError, match=f"found class {wrong}; allowed: 0 to 2"):
        baseline_loss(nn.CrossEntropyLoss(), targets, targets, 3)


# Binary targets.


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 2)])
@pytest.mark.parametrize("positive", [1.0, 5.0])
def test_binary_outputs_are_predicted_by_their_log_odds(
    shape: tuple[int, ...], positive: float
) -> None:
    train = draw_classes(TRAIN, *shape, classes=2).float()
    val = draw_classes(VAL, *shape, seed=1, classes=2).float()
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([positive]))
    positives = train.double().sum(0)
    log_odds = (positive * positives).log() - (TRAIN - positives).log()
    assert_best_constant(loss, log_odds, train, val)


def test_the_weight_of_each_output_counts_in_its_baseline() -> None:
    train = draw_classes(TRAIN, 3, classes=2).float()
    val = draw_classes(VAL, 3, seed=1, classes=2).float()
    pos_weight = torch.tensor([1.0, 2.0, 4.0])
    loss = nn.BCEWithLogitsLoss(weight=torch.tensor([[0.5, 1.0, 3.0]]), pos_weight=pos_weight)
    positives = train.double().sum(0)
    log_odds = (pos_weight * positives).log() - (TRAIN - positives).log()
    assert_best_constant(loss, log_odds, train, val)


def test_probabilities_are_predicted_by_their_share_of_positives() -> None:
    train = draw_classes(TRAIN, 3, classes=2).float()
    val = draw_classes(VAL, 3, seed=1, classes=2).float()
    assert_best_constant(nn.BCELoss(), train.double().mean(0), train, val)


def test_an_output_that_training_saw_on_one_side_only() -> None:
    """A logit has no end; a probability's logarithm ends at -100 in torch."""
    train, always = torch.ones(4, 1), torch.ones(3, 1)
    once = torch.tensor([[1.0], [0.0]])
    assert baseline_loss(nn.BCEWithLogitsLoss(), train, always, None) == 0.0
    assert baseline_loss(nn.BCEWithLogitsLoss(), train, once, None) == math.inf
    assert_best_constant(nn.BCELoss(), torch.ones(1), train, once)
    assert baseline_loss(nn.BCELoss(), train, once, None) == 50.0


def test_a_weight_for_each_row_of_a_batch_has_no_baseline() -> None:
    targets = draw_classes(4, 3, classes=2).float()
    loss = nn.BCEWithLogitsLoss(weight=torch.tensor([[1.0], [2.0], [1.0], [1.0]]))
    assert baseline_loss(loss, targets, targets, None) is None


# Numbers.


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 2)])
def test_squared_errors_are_lowest_at_the_mean_of_each_output(shape: tuple[int, ...]) -> None:
    train, val = draw(TRAIN, *shape) + 100, draw(VAL, *shape, seed=1) + 100
    assert_best_constant(nn.MSELoss(), train.double().mean(0), train, val)


@pytest.mark.parametrize("rows", [1, 2, 7, 60])
@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 2)])
def test_absolute_errors_are_lowest_at_the_median_of_each_output(
    shape: tuple[int, ...], rows: int
) -> None:
    train, val = draw(rows, *shape), draw(VAL, *shape, seed=1)
    low, high = ((rows - 1) // 2, rows // 2)
    ordered = train.double().sort(0).values
    assert_best_constant(nn.L1Loss(), (ordered[low] + ordered[high]) / 2, train, val)


def test_a_column_far_from_zero_keeps_its_digits() -> None:
    """In float32 the mean of 1e6 + {0, 1} and the squares around it would be off by far more."""
    targets = 1e6 + (torch.arange(100_000) % 2).float()
    assert baseline_loss(nn.MSELoss(), targets, targets, None) == pytest.approx(0.25, rel=1e-12)


def test_whole_numbers_have_a_mean_too() -> None:
    targets = torch.tensor([0, 1, 2, 3])
    assert baseline_loss(nn.MSELoss(), targets, targets, None) == 1.25


# Every loss.


@pytest.mark.parametrize(
    ("module", "function"),
    [
        (nn.MSELoss(), functools.partial(F.mse_loss)),
        (nn.L1Loss(), F.l1_loss),
        (nn.BCEWithLogitsLoss(), F.binary_cross_entropy_with_logits),
        (nn.MSELoss(), functools.partial(F.mse_loss, reduction="sum")),
        (nn.MSELoss(reduction="sum"), F.mse_loss),
    ],
)
def test_functions_and_sums_have_the_baseline_of_their_criterion(
    module: nn.Module, function: Loss
) -> None:
    train, val = torch.rand(9, 2), torch.rand(5, 2)
    assert baseline_loss(module, train, val, None) == baseline_loss(function, train, val, None)


def test_a_partial_with_options_has_the_baseline_of_its_criterion() -> None:
    options: dict[str, Any] = {"weight": torch.tensor([0.5, 3.0, 1.0]), "label_smoothing": 0.1}
    train, val = draw_classes(TRAIN), draw_classes(VAL, seed=1)
    module, function = nn.CrossEntropyLoss(**options), functools.partial(F.cross_entropy, **options)
    assert baseline_loss(module, train, val, 3) == baseline_loss(function, train, val, 3)


class Squared(nn.CrossEntropyLoss):
    """Computes something else than its parent, which does not add up from its rows."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch's names
        return super().forward(input, target).square()


class Named(nn.CrossEntropyLoss):
    """Its parent under another name."""


def test_a_criterion_that_a_subclass_has_changed_has_not_its_formula() -> None:
    classes, numbers = draw_classes(9), draw(9, 2)
    assert baseline_loss(Squared(), classes, classes, 3) is None
    assert baseline_loss(Named(), classes, classes, 3) is not None
    assert baseline_loss(lambda outputs, _: outputs.sum(), numbers, numbers, None) is None


def test_the_criterion_is_left_as_it_was() -> None:
    loss = nn.CrossEntropyLoss(torch.tensor([0.5, 3.0, 1.0]), label_smoothing=0.1)
    weight = loss.weight
    assert weight is not None
    before = weight.clone()
    baseline_loss(loss, draw_classes(9), draw_classes(9), 3)
    assert loss.weight is weight
    assert weight.dtype == torch.float32
    assert torch.equal(weight, before)


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (nn.CrossEntropyLoss(label_smoothing=0.1), (TRAIN, 2, 3)),
        (nn.BCEWithLogitsLoss(), (TRAIN, 2, 3)),
        (nn.MSELoss(), (TRAIN, 2, 3)),
        (nn.L1Loss(), (TRAIN, 2, 3)),
    ],
)
@pytest.mark.parametrize("device", DEVICES)
def test_the_baseline_is_the_same_in_chunks_and_on_any_device(
    loss: nn.Module, shape: tuple[int, ...], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = draw_classes(*shape, classes=2)
    targets = targets if isinstance(loss, nn.CrossEntropyLoss) else targets.float()
    at_once = baseline_loss(loss, targets[:40], targets[40:], 2)
    for module in ("class_targets", "baseline"):
        monkeypatch.setattr(f"epochtop.core.loss.{module}.CHUNK_ELEMENTS", 50)
    targets = targets.to(device)
    in_chunks = baseline_loss(loss.to(device), targets[:40], targets[40:], 2)
    loss.cpu()
    assert in_chunks == pytest.approx(at_once, rel=1e-13)


@given(
    weight=st.lists(st.floats(0.01, 10.0) | st.just(0.0), min_size=3, max_size=3),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    targets=st.lists(st.sampled_from([0, 1, 2, -100]), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=100)
def test_no_constant_does_better_on_the_rows_that_it_was_made_from(
    weight: list[float], smoothing: float, targets: list[int]
) -> None:
    rows = torch.tensor(targets)
    loss = nn.CrossEntropyLoss(torch.tensor(weight, dtype=torch.float64), label_smoothing=smoothing)
    best = baseline_loss(loss, rows, rows, 3)
    if best is None or math.isnan(best):
        return
    for seed in range(5):
        other = loss_of_constant(loss, draw(3, seed=seed).double(), rows)
        assert math.isnan(other) or best <= other * (1 + 1e-9) + 1e-12
