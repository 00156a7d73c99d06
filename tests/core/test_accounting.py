"""What torch divides by, compared with formulas written out over single positions."""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody gives it
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from epochtop.core.errors import LossError
from epochtop.core.loss.accounting import accounting_of, check_shapes, exact_mean

Loss = Callable[[Tensor, Tensor], Tensor]
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
ROWS, CLASSES = 11, 4
BATCH_SIZES = (1, 3, 11)
CLASS_WEIGHTS = [0.5, 2.0, 1.0, 3.0]


def batches_of(
    outputs: Tensor, targets: Tensor, batch_size: int
) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(torch.split(outputs, batch_size), torch.split(targets, batch_size), strict=True)


def batchwise(loss: Loss, outputs: Tensor, targets: Tensor, batch_size: int) -> float:
    """The loss of the split, from what the loss says of each batch and its denominator."""
    accounting = accounting_of(loss)
    numerators, denominators = [], []
    for batch in batches_of(outputs, targets, batch_size):
        denominators.append(float(accounting.denominator(*batch)))
        numerators.append(accounting.numerator(float(loss(*batch).detach()), denominators[-1]))
    return exact_mean(numerators, denominators)


def assert_accounts_for(loss: Loss, outputs: Tensor, targets: Tensor, expected: float) -> None:
    """Whatever the batches, the split's loss is the expected one, and so say the row weights."""
    assert math.isfinite(expected)
    for batch_size in BATCH_SIZES:
        assert batchwise(loss, outputs, targets, batch_size) == pytest.approx(expected, rel=1e-12)
    accounting = accounting_of(loss)
    weights = accounting.row_weights(targets)
    assert weights is not None
    assert (weights.shape, weights.dtype) == ((len(targets),), torch.float64)
    for rows in (slice(0, 3), slice(3, 8), slice(len(targets))):
        expected_sum = float(accounting.denominator(outputs[rows], targets[rows]))
        assert float(weights[rows].sum()) == pytest.approx(expected_sum, rel=1e-15)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(
        shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    ).mul(3)


def draw_classes(*shape: int, seed: int = 1) -> Tensor:
    return torch.randint(CLASSES, shape, generator=torch.Generator().manual_seed(seed))


def weights_tensor() -> Tensor:
    return torch.tensor(CLASS_WEIGHTS, dtype=torch.float64)


# Cross-entropy, from its formula.


def log_shares(logits: Sequence[float]) -> list[float]:
    highest = max(logits)
    log_sum = highest + math.log(sum(math.exp(logit - highest) for logit in logits))
    return [logit - log_sum for logit in logits]


def positions(outputs: Tensor) -> list[list[float]]:
    """The outputs of every position, (rows, classes, ...) as a list of classes' lists."""
    lists: list[list[float]] = outputs.movedim(1, -1).reshape(-1, outputs.shape[1]).tolist()
    return lists


def cross_entropy_of_indices(
    outputs: Tensor,
    targets: Tensor,
    *,
    weight: Sequence[float] | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> tuple[float, float]:
    """Numerator and denominator over all positions."""
    weight = weight or [1.0] * outputs.shape[1]
    numerator = denominator = 0.0
    for logits, target in zip(positions(outputs), targets.flatten().tolist(), strict=True):
        if target == ignore_index:
            continue
        denominator += weight[target]
        for index, log_share in enumerate(log_shares(logits)):
            wanted = (1 - label_smoothing) * (index == target) + label_smoothing / len(logits)
            numerator -= weight[index] * wanted * log_share
    return numerator, denominator


def cross_entropy_of_probabilities(
    outputs: Tensor,
    targets: Tensor,
    *,
    weight: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> float:
    weight = weight or [1.0] * outputs.shape[1]
    per_position = []
    for logits, shares in zip(positions(outputs), positions(targets), strict=True):
        for index, log_share in enumerate(log_shares(logits)):
            wanted = (1 - label_smoothing) * shares[index] + label_smoothing / len(logits)
            per_position.append(-weight[index] * wanted * log_share)
    return math.fsum(per_position) / len(positions(outputs))


@pytest.mark.parametrize("form", ["module", "function"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("ignore_index", [-100, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 2, 3)])
def test_cross_entropy_counts_the_weights_of_targets_that_are_not_ignored(
    *,
    shape: tuple[int, ...],
    weighted: bool,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
    form: str,
) -> None:
    outputs, targets = draw(shape[0], CLASSES, *shape[1:]), draw_classes(*shape)
    targets[3:6] = ignore_index  # a batch of 3 holds nothing else
    options: dict[str, Any] = {"ignore_index": ignore_index, "label_smoothing": label_smoothing}
    numerator, denominator = cross_entropy_of_indices(
        outputs, targets, weight=CLASS_WEIGHTS if weighted else None, **options
    )
    options |= {"reduction": reduction, "weight": weights_tensor() if weighted else None}
    criterion = (
        nn.CrossEntropyLoss(**options)
        if form == "module"
        else functools.partial(F.cross_entropy, **options)
    )
    assert_accounts_for(criterion, outputs, targets, numerator / denominator)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 2, 3)])
@pytest.mark.parametrize("form", ["module", "function"])
def test_the_negative_log_likelihood_counts_the_same_way(
    form: str, shape: tuple[int, ...], weighted: bool, reduction: str
) -> None:
    outputs, targets = draw(shape[0], CLASSES, *shape[1:]), draw_classes(*shape)
    weight = CLASS_WEIGHTS if weighted else None
    numerator, denominator = cross_entropy_of_indices(
        outputs, targets, weight=weight, ignore_index=2
    )
    options: dict[str, Any] = {"ignore_index": 2, "reduction": reduction}
    options["weight"] = weights_tensor() if weighted else None
    loss = nn.NLLLoss(**options) if form == "module" else functools.partial(F.nll_loss, **options)
    assert_accounts_for(loss, outputs.log_softmax(1), targets, numerator / denominator)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(ROWS, CLASSES), (ROWS, CLASSES, 2, 3)])
def test_cross_entropy_of_class_probabilities_counts_positions(
    shape: tuple[int, ...], weighted: bool, label_smoothing: float, reduction: str
) -> None:
    outputs, targets = draw(*shape), draw(*shape, seed=1).softmax(1)
    expected = cross_entropy_of_probabilities(
        outputs,
        targets,
        weight=CLASS_WEIGHTS if weighted else None,
        label_smoothing=label_smoothing,
    )
    loss = nn.CrossEntropyLoss(
        weight=weights_tensor() if weighted else None,
        label_smoothing=label_smoothing,
        reduction=reduction,
    )
    assert_accounts_for(loss, outputs, targets, expected)


@pytest.mark.skipif(not hasattr(nn, "LinearCrossEntropyLoss"), reason="torch before 2.13")
def test_cross_entropy_with_its_own_last_layer_counts_like_cross_entropy() -> None:
    loss = nn.LinearCrossEntropyLoss(5, CLASSES, weight=weights_tensor(), dtype=torch.float64)
    features, targets = draw(ROWS, 5), draw_classes(ROWS)
    targets[::4] = -100
    numerator, denominator = cross_entropy_of_indices(
        loss.linear(features).detach(), targets, weight=CLASS_WEIGHTS
    )
    assert_accounts_for(loss, features, targets, numerator / denominator)


@given(
    data=st.data(),
    batch_size=st.integers(1, 12),
    label_smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    ignore_index=st.sampled_from([-100, -1, 1, 255]),
    shape=st.sampled_from([(), (2,), (2, 3)]),
    reduction=st.sampled_from(["mean", "sum"]),
)
@settings(deadline=None, max_examples=100)
def test_cross_entropy_is_exact_over_any_weights_ignored_targets_and_batches(
    *,
    data: st.DataObject,
    batch_size: int,
    label_smoothing: float,
    ignore_index: int,
    shape: tuple[int, ...],
    reduction: str,
) -> None:
    # torch's mean of a batch of weight-0 classes is nan, and with it its smoothing: see below
    zero = st.nothing() if label_smoothing and reduction == "mean" else st.just(0.0)
    weight = data.draw(st.lists(st.floats(0.01, 100.0) | zero, min_size=3, max_size=3))
    rows = data.draw(st.integers(1, 12))
    size = rows * math.prod(shape)
    target = st.sampled_from([0, 1, 2, ignore_index])
    drawn = data.draw(st.lists(target, min_size=size, max_size=size))
    targets = torch.tensor(drawn).reshape(rows, *shape)
    outputs = draw(rows, 3, *shape, seed=data.draw(st.integers(0, 1000)))
    options: dict[str, Any] = {"ignore_index": ignore_index, "label_smoothing": label_smoothing}
    numerator, denominator = cross_entropy_of_indices(outputs, targets, weight=weight, **options)
    loss = nn.CrossEntropyLoss(
        weight=torch.tensor(weight, dtype=torch.float64), reduction=reduction, **options
    )

    found = batchwise(loss, outputs, targets, batch_size)

    expected = numerator / denominator if denominator else math.nan
    assert found == pytest.approx(expected, rel=1e-11, abs=1e-13, nan_ok=True)


def test_in_float32_the_loss_is_exact_to_float32() -> None:
    outputs, targets = draw(500, CLASSES), draw_classes(500)
    targets[::5] = -100
    numerator, denominator = cross_entropy_of_indices(outputs, targets, weight=CLASS_WEIGHTS)
    loss = nn.CrossEntropyLoss(weight=torch.tensor(CLASS_WEIGHTS))
    found = batchwise(loss, outputs.float(), targets, 32)
    assert found == pytest.approx(numerator / denominator, rel=1e-6)


def test_weighting_batches_by_rows_would_be_wrong() -> None:
    """The trap that this module is for."""
    outputs = torch.tensor([[0.0, 2.0], [0.0, 2.0], [3.0, 0.0]])
    targets = torch.tensor([0, 1, 1])
    loss = nn.CrossEntropyLoss(torch.tensor([1.0, 9.0]))
    by_rows = sum(float(loss(*batch)) for batch in batches_of(outputs, targets, 1)) / 3
    numerator, denominator = cross_entropy_of_indices(outputs, targets, weight=[1.0, 9.0])
    assert batchwise(loss, outputs, targets, 1) == pytest.approx(numerator / denominator, rel=1e-6)
    assert abs(by_rows - numerator / denominator) > 0.1


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_in_which_all_is_ignored_changes_nothing(reduction: str) -> None:
    outputs, targets = draw(12, CLASSES), draw_classes(12)
    loss = nn.CrossEntropyLoss(weight=weights_tensor(), reduction=reduction)
    without = batchwise(loss, outputs, targets, 4)
    ignored = torch.full((8,), -100)
    outputs, targets = torch.cat([outputs, draw(8, CLASSES)]), torch.cat([targets, ignored])
    assert batchwise(loss, outputs, targets, 4) == without


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_split_in_which_all_is_ignored_has_no_loss(reduction: str) -> None:
    loss = nn.CrossEntropyLoss(reduction=reduction)
    assert math.isnan(batchwise(loss, draw(8, CLASSES), torch.full((8,), -100), 4))


def test_a_smoothed_batch_of_classes_of_weight_zero_counts_in_a_sum_only() -> None:
    """As a mean torch gives nan for it, in which the smoothing is lost."""
    outputs, targets = draw(6, CLASSES), torch.tensor([0, 1, 0, 0, 3, 2])
    weight = torch.tensor([0.0, 1.0, 2.0, 0.5], dtype=torch.float64)
    numerator, denominator = cross_entropy_of_indices(
        outputs, targets, weight=weight.tolist(), label_smoothing=0.3
    )
    of_sum = nn.CrossEntropyLoss(weight, label_smoothing=0.3, reduction="sum")
    of_mean = nn.CrossEntropyLoss(weight, label_smoothing=0.3)
    assert batchwise(of_sum, outputs, targets, 2) == pytest.approx(numerator / denominator)
    assert batchwise(of_mean, outputs, targets, 2) == pytest.approx(
        sum(
            cross_entropy_of_indices(
                outputs[rows], targets[rows], weight=weight.tolist(), label_smoothing=0.3
            )[0]
            for rows in (slice(0, 2), slice(4, 6))
        )
        / denominator
    )


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_class_indices_of_any_integer_type_count(dtype: torch.dtype) -> None:
    targets = torch.tensor([0, 3, 255, 1])
    loss = nn.CrossEntropyLoss(weight=weights_tensor(), ignore_index=255)
    if dtype == torch.int32:
        targets = targets.to(dtype)
    weights = accounting_of(loss).row_weights(targets.to(dtype))
    assert weights is not None
    assert weights.tolist() == [0.5, 3.0, 0.0, 2.0]


def test_row_weights_are_the_same_computed_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = draw_classes(ROWS, 2, 3)
    accounting = accounting_of(nn.CrossEntropyLoss(weight=weights_tensor(), ignore_index=1))
    at_once = accounting.row_weights(targets)
    monkeypatch.setattr("epochtop.core.loss.class_targets.CHUNK_ELEMENTS", 13)
    in_chunks = accounting.row_weights(targets)
    assert at_once is not None
    assert in_chunks is not None
    assert in_chunks.tolist() == at_once.tolist()


@pytest.mark.parametrize("wrong", [-1, 4])
def test_a_class_without_a_weight_is_an_error_that_says_so(wrong: int) -> None:
    targets = torch.tensor([0, wrong, 2])
    accounting = accounting_of(nn.CrossEntropyLoss(weight=weights_tensor()))
    with pytest.raises(LossError, match=rf"found class {wrong}; allowed: 0 to 3"):
        accounting.row_weights(targets)


# Criteria that compare element by element, from their formulas.


def probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def binary(output: float, target: float, pos_weight: float = 1.0) -> float:
    return -(
        pos_weight * target * math.log(probability(output))
        + (1 - target) * math.log(1 - probability(output))
    )


def squared(output: float, target: float) -> float:
    return (output - target) ** 2


def absolute(output: float, target: float) -> float:
    return abs(output - target)


def smooth_absolute(output: float, target: float, beta: float = 1.0) -> float:
    error = abs(output - target)
    return error**2 / (2 * beta) if error < beta else error - beta / 2


def huber(output: float, target: float, delta: float = 2.0) -> float:
    error = abs(output - target)
    return error**2 / 2 if error <= delta else delta * (error - delta / 2)


def poisson(output: float, target: float) -> float:
    return math.exp(output) - target * output


def soft_margin(output: float, target: float) -> float:
    return math.log1p(math.exp(-target * output))


def divergence(output: float, target: float) -> float:
    return target * (math.log(target) - output)


def mean_of_elements(
    formula: Callable[[float, float], float], outputs: Tensor, targets: Tensor
) -> float:
    pairs = zip(outputs.flatten().tolist(), targets.flatten().tolist(), strict=True)
    return math.fsum(formula(*pair) for pair in pairs) / outputs.numel()


ELEMENTWISE = [
    (nn.MSELoss, F.mse_loss, squared, {}),
    (nn.L1Loss, F.l1_loss, absolute, {}),
    (nn.SmoothL1Loss, F.smooth_l1_loss, smooth_absolute, {}),
    (nn.HuberLoss, F.huber_loss, huber, {"delta": 2.0}),
    (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits, binary, {}),
    (nn.PoissonNLLLoss, F.poisson_nll_loss, poisson, {}),
    (nn.SoftMarginLoss, F.soft_margin_loss, soft_margin, {}),
    (nn.KLDivLoss, F.kl_div, divergence, {}),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("form", ["module", "function"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1), (ROWS, 4), (ROWS, 3, 2, 2)])
@pytest.mark.parametrize(("module", "function", "formula", "options"), ELEMENTWISE)
def test_elementwise_criteria_count_elements_of_any_target_shape(
    *,
    module: type[nn.Module],
    function: Loss,
    formula: Callable[[float, float], float],
    options: dict[str, Any],
    shape: tuple[int, ...],
    reduction: str,
    form: str,
) -> None:
    outputs, targets = draw(*shape) / 3, draw(*shape, seed=1).sigmoid()
    options = {**options, "reduction": reduction}
    loss = module(**options) if form == "module" else functools.partial(function, **options)
    expected = mean_of_elements(formula, outputs, targets)
    assert_accounts_for(loss, outputs, targets, expected)


def test_functions_count_like_their_criteria_without_a_partial_too() -> None:
    outputs, targets = draw(ROWS, 3), draw(ROWS, 3, seed=1)
    assert_accounts_for(F.mse_loss, outputs, targets, mean_of_elements(squared, outputs, targets))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_binary_cross_entropy_with_weights_counts_elements(reduction: str) -> None:
    outputs, targets = draw(ROWS, 3) / 3, draw_classes(ROWS, 3).clamp(max=1).double()
    weight, pos_weight = [0.5, 1.0, 4.0], [3.0, 0.2, 1.0]
    loss = nn.BCEWithLogitsLoss(
        weight=torch.tensor(weight, dtype=torch.float64),
        pos_weight=torch.tensor(pos_weight, dtype=torch.float64),
        reduction=reduction,
    )
    terms = [
        weight[column] * binary(float(outputs[row, column]), float(targets[row, column]), positive)
        for row in range(ROWS)
        for column, positive in enumerate(pos_weight)
    ]
    assert_accounts_for(loss, outputs, targets, math.fsum(terms) / (ROWS * 3))


def test_binary_cross_entropy_of_probabilities_counts_elements() -> None:
    outputs, targets = draw(ROWS, 3) / 3, draw_classes(ROWS, 3).clamp(max=1).double()
    expected = mean_of_elements(binary, outputs, targets)
    assert_accounts_for(nn.BCELoss(), outputs.sigmoid(), targets, expected)
    assert_accounts_for(F.binary_cross_entropy, outputs.sigmoid(), targets, expected)


def test_a_batchmean_of_divergences_counts_rows() -> None:
    outputs, targets = draw(ROWS, 3).log_softmax(1), draw(ROWS, 3, seed=1).softmax(1)
    expected = 3 * mean_of_elements(divergence, outputs, targets)
    assert_accounts_for(nn.KLDivLoss(reduction="batchmean"), outputs, targets, expected)
    function = functools.partial(F.kl_div, reduction="batchmean")
    assert_accounts_for(function, outputs, targets, expected)
    assert accounting_of(function).denominator(outputs, targets) == ROWS


def test_a_margin_between_classes_counts_rows() -> None:
    outputs, targets = draw(ROWS, CLASSES), draw_classes(ROWS)
    terms = [
        max(0.0, 1 - float(outputs[row, target]) + float(outputs[row, other])) / CLASSES
        for row, target in enumerate(targets.tolist())
        for other in range(CLASSES)
        if other != target
    ]
    expected = math.fsum(terms) / ROWS
    for reduction in ("mean", "sum"):
        loss = nn.MultiMarginLoss(reduction=reduction)
        assert_accounts_for(loss, outputs, targets, expected)


# A user's own losses.


def test_a_loss_of_ones_own_counts_as_a_mean_over_rows() -> None:
    def worst_element(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).abs().amax(1).mean()

    outputs, targets = draw(ROWS, 3), draw(ROWS, 3, seed=1)
    expected = math.fsum((outputs - targets).abs().amax(1).tolist()) / ROWS
    assert_accounts_for(worst_element, outputs, targets, expected)
    assert not accounting_of(worst_element).can_be_empty


class MaskedError(nn.Module):
    """The mean squared error of the targets that are numbers."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        known = ~targets.isnan()
        return (outputs - targets)[known].square().mean()

    def denominator(self, outputs: Tensor, targets: Tensor) -> Tensor:
        assert outputs.shape == targets.shape
        return (~targets.isnan()).sum()


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_a_loss_of_ones_own_may_say_its_denominator(batch_size: int) -> None:
    outputs, targets = draw(ROWS, 3), draw(ROWS, 3, seed=1)
    targets[::3, 1] = math.nan
    targets[3:6] = math.nan
    known = [
        squared(*pair)
        for pair in zip(outputs.flatten().tolist(), targets.flatten().tolist(), strict=True)
        if not math.isnan(pair[1])
    ]
    found = batchwise(MaskedError(), outputs, targets, batch_size)
    assert found == pytest.approx(math.fsum(known) / len(known), rel=1e-12)


def test_only_a_loss_with_its_own_denominator_leaves_row_weights_open() -> None:
    accounting = accounting_of(MaskedError())
    assert accounting.row_weights(draw(3, 2)) is None
    assert accounting.can_be_empty
    assert accounting_of(nn.MSELoss()).row_weights(draw(3, 2)) is not None


def test_targets_that_are_no_tensor_need_a_loss_that_says_its_denominator() -> None:
    def own(outputs: Tensor, targets: dict[str, Tensor]) -> Tensor:
        return (outputs - targets["x"]).mean()

    with pytest.raises(LossError, match="targets: found a dict; allowed: a tensor"):
        accounting_of(own).denominator(draw(3), {"x": draw(3)})


def test_a_denominator_that_is_a_plain_number_is_taken_too() -> None:
    class Own:
        def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
            return (outputs - targets).sum()

        def denominator(self, outputs: Tensor, targets: Tensor) -> int:  # noqa: ARG002
            return 3

    assert accounting_of(Own()).denominator(draw(2), draw(2)) == 3.0


def test_a_denominator_of_several_numbers_is_refused() -> None:
    class Own(nn.MSELoss):
        def denominator(self, outputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
            return torch.ones(len(targets))

    with pytest.raises(LossError, match=r"denominator of shape \(5,\); allowed: one number"):
        accounting_of(Own()).denominator(draw(5, 1), draw(5, 1))


def test_a_subclass_counts_like_its_criterion_unless_it_says_its_denominator() -> None:
    class Hotter(nn.CrossEntropyLoss):
        def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch's names
            return super().forward(input * 2, target)

    class OverRows(Hotter):
        def denominator(self, outputs: Tensor, targets: Tensor) -> int:  # noqa: ARG002
            return len(targets)

    outputs, targets = draw(5, CLASSES), torch.tensor([0, 1, -100, 1, 3])
    assert accounting_of(Hotter(weights_tensor())).denominator(outputs, targets) == 7.5
    assert accounting_of(OverRows(weights_tensor())).denominator(outputs, targets) == 5.0


def test_a_compiled_criterion_counts_like_the_criterion() -> None:
    loss = torch.compile(nn.CrossEntropyLoss(weights_tensor()), backend="eager")
    assert accounting_of(loss).denominator(draw(2, CLASSES), torch.tensor([1, 3])) == 5.0


# Adding up.


def test_two_million_batches_add_up_without_drift() -> None:
    assert exact_mean([0.1] * 2_000_000, [1.0] * 2_000_000) == 0.1
    float32 = torch.full((2_000_000,), 0.1).numpy().cumsum()[-1] / 2_000_000
    assert abs(float32 / 0.1 - 1) > 0.01  # what this is for


def test_small_numbers_survive_between_large_ones() -> None:
    assert exact_mean([1e16, 1.0, -1e16], [1.0, 1.0, 2.0]) == 0.25


@pytest.mark.parametrize(
    ("numerators", "expected"),
    [
        ([1.0, math.nan], math.nan),
        ([math.inf, 1.0], math.inf),
        ([-math.inf, 1.0], -math.inf),
        ([math.inf, -math.inf], math.nan),
        ([math.nan, math.inf], math.nan),
        ([1e308, 1e308], math.inf),
    ],
)
def test_what_is_not_finite_comes_out_so(numerators: list[float], expected: float) -> None:
    assert exact_mean(numerators, [1.0, 1.0]) == pytest.approx(expected, nan_ok=True)
    assert math.isnan(exact_mean([1.0, 1.0], [1.0, math.nan]))
    assert exact_mean([1.0, 1.0], [1.0, math.inf]) == 0.0


def test_nothing_has_no_mean() -> None:
    assert math.isnan(exact_mean([], []))
    assert math.isnan(exact_mean([0.0, 0.0], [0.0, 0.0]))


def test_numerators_without_their_denominators_are_an_error() -> None:
    with pytest.raises(ValueError, match="2 numerators, but 1 denominators"):
        exact_mean([1.0, 2.0], [1.0])


def test_a_loss_that_is_not_finite_is_not_hidden_by_the_accounting() -> None:
    of_mean, of_sum = accounting_of(nn.MSELoss()), accounting_of(nn.MSELoss(reduction="sum"))
    for accounting in (of_mean, of_sum):
        assert math.isnan(accounting.numerator(math.nan, 4.0))
        assert accounting.numerator(math.inf, 4.0) == math.inf
        assert accounting.numerator(math.nan, 0.0) == 0.0


# Shapes.


@pytest.mark.parametrize("loss", [nn.MSELoss(), F.l1_loss, nn.PoissonNLLLoss()])
def test_outputs_and_targets_that_would_be_broadcast_are_refused(loss: Loss) -> None:
    """Torch compares each of N rows with all N others, and at most warns."""
    with pytest.raises(LossError, match=r"shape \(5, 1\) and targets of shape \(5,\).*same shape"):
        check_shapes(loss, draw(5, 1), draw(5))


def test_shapes_that_fit_pass() -> None:
    check_shapes(nn.MSELoss(), draw(5, 1), draw(5, 1))
    check_shapes(nn.CrossEntropyLoss(), draw(5, 3), draw_classes(5))
    check_shapes(lambda outputs, targets: outputs.sum() - targets.sum(), draw(5, 1), draw(5))


# Devices.


@pytest.mark.parametrize("device", DEVICES)
def test_the_criterions_weights_may_be_elsewhere_than_the_targets(device: str) -> None:
    targets = torch.tensor([0, 3, -100, 1], device=device)
    accounting = accounting_of(nn.CrossEntropyLoss(weights_tensor()))
    weights = accounting.row_weights(targets)
    assert weights is not None
    assert weights.device == targets.device
    assert weights.tolist() == [0.5, 3.0, 0.0, 2.0]
    assert float(accounting.denominator(draw(4, CLASSES).to(device), targets)) == 5.5


class Focal(nn.CrossEntropyLoss):
    """A criterion whose weights are torch's, and whose mean is one of its own."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch's names
        each = nn.functional.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction="none"
        )
        return (each * (1 - torch.exp(-each)) ** 2).mean()


class Squared(nn.CrossEntropyLoss):
    """A mean that is divided by something else again."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch's names
        return super().forward(input, target) ** 2


@pytest.mark.parametrize("options", [{"weight": weights_tensor()}, {"ignore_index": 1}])
def test_a_subclass_that_takes_its_mean_over_the_rows_counts_them(options: dict[str, Any]) -> None:
    accounting = accounting_of(Focal(**options))
    assert accounting.denominator(draw(5, CLASSES), torch.tensor([0, 1, 2, 1, 3])) == 5.0


def test_a_subclass_that_divides_by_nobody_knows_what_has_to_say_it() -> None:
    with pytest.raises(LossError, match=r"found Squared, whose mean .*; allowed: with a method"):
        accounting_of(Squared(weights_tensor()))


def test_a_subclass_of_whose_rows_all_count_the_same_needs_no_trial() -> None:
    accounting = accounting_of(Squared())
    assert accounting.denominator(draw(3, CLASSES), torch.tensor([0, 1, -100])) == 2.0
