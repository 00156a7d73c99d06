"""The constant of a loss without a formula, by the formulas and programs of others."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody gives it
from scipy.optimize import linprog
from torch import Tensor, nn

from epochtop.core.loss import fitted_constant as searching
from epochtop.core.loss.baseline import baseline_losses
from epochtop.core.loss.fitted_constant import fitted_constant
from epochtop.core.loss.searched_baseline import Baselines

from .drawn import classes, drawn

Loss = Callable[[Tensor, Tensor], Tensor]
TRAIN, VAL = drawn(0, 400, 1).exp() * 3 + 5, drawn(1, 150, 1).exp() * 3 + 5
LABELS, OTHER_LABELS = classes(300), classes(90)
COUNTS = torch.poisson(torch.full((400, 1), 4.0), torch.Generator().manual_seed(0))


def quantile_loss(share: float) -> Loss:
    """The loss that is lowest at a quantile."""

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        errors = targets - outputs
        return torch.maximum(share * errors, (share - 1) * errors).mean()

    return loss


def of_constant(loss: Loss, constant: Tensor, targets: Tensor) -> float:
    return float(loss(constant.expand(len(targets), *constant.shape), targets))


def baselines(loss: Loss, train: Tensor, val: Tensor, *shape: int) -> Baselines:
    found = baseline_losses(loss, train, val, shape)
    assert found is not None
    return found


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_quantiles_loss_is_lowest_at_the_quantile(share: float) -> None:
    loss, quantile = quantile_loss(share), torch.quantile(TRAIN, share, dim=0)
    found = baselines(loss, TRAIN, VAL, 1)
    assert found.train == pytest.approx(of_constant(loss, quantile, TRAIN), rel=1e-5)
    assert found.val == pytest.approx(of_constant(loss, quantile, VAL), rel=1e-2)


def test_several_quantiles_are_found_at_once() -> None:
    shares = torch.tensor([0.1, 0.5, 0.9])

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        errors = targets - outputs
        return torch.maximum(shares * errors, (shares - 1) * errors).mean()

    quantiles = torch.quantile(TRAIN[:, 0], shares)
    found = baselines(loss, TRAIN, VAL, 3)
    assert found.train == pytest.approx(of_constant(loss, quantiles, TRAIN), rel=1e-5)


@pytest.mark.parametrize("loss", [nn.HuberLoss(), nn.SmoothL1Loss(beta=0.5)])
def test_at_hubers_constant_the_clipped_errors_cancel(loss: Any) -> None:
    found = fitted_constant(loss, TRAIN, (1,))
    assert found is not None
    limit = getattr(loss, "delta", None) or loss.beta
    assert float((TRAIN - found.outputs).clamp(-limit, limit).mean()) == pytest.approx(0, abs=1e-3)
    assert baselines(loss, TRAIN, VAL, 1).val == pytest.approx(
        of_constant(loss, found.outputs, VAL), rel=1e-6
    )


def test_poissons_constant_is_the_logarithm_of_the_mean() -> None:
    loss, mean = nn.PoissonNLLLoss(full=True), COUNTS[:300].mean(0).log()
    found = baselines(loss, COUNTS[:300], COUNTS[300:], 1)
    assert found.train == pytest.approx(of_constant(loss, mean, COUNTS[:300]), rel=1e-6)
    assert found.val == pytest.approx(of_constant(loss, mean, COUNTS[300:]), rel=1e-4)


def test_without_all_of_its_terms_poissons_loss_has_no_0_to_compare_with() -> None:
    assert baseline_losses(nn.PoissonNLLLoss(), COUNTS, COUNTS, (1,)) is None


@pytest.mark.parametrize("shares", [(0.4, 0.6), (0.2, 0.3, 0.5), (0.1, 0.1, 0.1, 0.2, 0.5)])
def test_the_constant_of_margins_is_that_of_a_linear_program(shares: tuple[float, ...]) -> None:
    counts = [round(200 * share) for share in shares]
    labels = torch.repeat_interleave(torch.arange(len(shares)), torch.tensor(counts))
    found = baselines(nn.MultiMarginLoss(), labels, labels, len(shares))
    assert found.train == pytest.approx(_lowest_margin(np.array(shares)), rel=1e-4)


def _lowest_margin(shares: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Slack s for each pair: s >= 1 - x[label] + x[other], as cheap as can be."""
    number = len(shares)
    pairs = [(one, two) for one in range(number) for two in range(number) if one != two]
    costs = np.concatenate([np.zeros(number), [shares[one] / number for one, _ in pairs]])
    bounds = np.zeros((len(pairs), number + len(pairs)))
    for place, (one, two) in enumerate(pairs):
        bounds[place, [one, two, number + place]] = -1, 1, -1
    signs = [(None, None)] * number + [(0, None)] * len(pairs)
    return float(linprog(costs, bounds, -np.ones(len(pairs)), bounds=signs).fun)


def own_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Written out by hand, as in a lesson."""
    return -torch.log_softmax(outputs, 1).gather(1, targets[:, None]).mean()


def of_probabilities(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared errors of the probabilities of classes, Brier's score."""
    wanted = F.one_hot(targets, outputs.shape[1])
    return (outputs.softmax(1) - wanted).square().sum(1).mean()


def own_binary(outputs: Tensor, targets: Tensor) -> Tensor:
    """Of one logit a row, targets without a column."""
    return F.softplus(-outputs[:, 0] * (2 * targets.float() - 1)).mean()


@pytest.mark.parametrize(
    ("own", "known", "train", "val", "shape"),
    [
        (own_cross_entropy, nn.CrossEntropyLoss(), LABELS, OTHER_LABELS, (3,)),
        (lambda o, t: (o - t).pow(2).mean(), nn.MSELoss(), TRAIN, VAL, (1,)),
        (lambda o, t: (o - t).abs().sum(1).mean(), nn.L1Loss(), TRAIN, VAL, (1,)),
        (lambda o, t: (o[:, 0] - t).pow(2).mean(), nn.MSELoss(), TRAIN[:, 0], VAL[:, 0], (1,)),
    ],
)
def test_a_criterion_that_a_user_wrote_has_the_baselines_of_torchs_own(
    own: Loss, known: nn.Module, train: Tensor, val: Tensor, shape: tuple[int, ...]
) -> None:
    expected = baseline_losses(known, train, val, None)
    assert expected is not None
    assert baselines(own, train, val, *shape) == pytest.approx(expected, rel=1e-3)


def test_an_own_binary_loss_has_the_baselines_of_torchs_own() -> None:
    train, val = (each == 0 for each in (LABELS, OTHER_LABELS))
    known = nn.BCEWithLogitsLoss()
    expected = baseline_losses(known, train[:, None].float(), val[:, None].float(), None)
    assert expected is not None
    for dtype in (torch.long, torch.float32, torch.bool):
        found = baselines(own_binary, train.to(dtype), val.to(dtype), 1)
        assert found == pytest.approx(expected, rel=1e-4)


def test_briers_constant_is_the_share_of_each_class() -> None:
    shares = torch.bincount(LABELS) / len(LABELS)
    found = baselines(of_probabilities, LABELS, OTHER_LABELS, 3)
    assert found.train == pytest.approx(of_constant(of_probabilities, shares.log(), LABELS), 1e-5)


def test_a_sum_over_the_rows_is_divided_by_them() -> None:
    class Total(nn.Module):
        reduction = "sum"

        def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
            return (outputs - targets).square().sum()

    expected = baseline_losses(nn.MSELoss(), TRAIN, VAL, None)
    assert expected is not None
    assert baselines(Total(), TRAIN, VAL, 1) == pytest.approx(expected, rel=1e-5)


def test_of_very_many_rows_the_constant_is_fitted_to_some_and_measured_on_all() -> None:
    many, val = drawn(2, 200_000, 1).exp(), drawn(3, 9_000, 1).exp()
    found, loss = baselines(quantile_loss(0.9), many, val, 1), quantile_loss(0.9)
    quantile = many.quantile(0.9, dim=0)
    assert found.train == pytest.approx(of_constant(loss, quantile, many), rel=1e-3)
    assert found.val == pytest.approx(of_constant(loss, quantile, val), rel=1e-2)


class Spread(nn.Module):
    """How far the errors are from each other, which no row tells."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).std(correction=0)


class Refusing(nn.Module):
    """Takes no constant."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if float(outputs.std()) == 0:
            raise ValueError("no constants, please")
        return (outputs - targets).square().mean()


class Distant(nn.Module):
    """Compares what a network makes of outputs and targets."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(1, 10_000)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        distance: Tensor = self.network(outputs) - self.network(targets)
        return distance.square().mean()


def gaussian(outputs: Tensor, targets: Tensor) -> Tensor:
    """The likelihood of a mean and the logarithm of a variance: it has no lowest value."""
    log_variance = outputs[:, 1:]
    return ((targets - outputs[:, :1]).square() / log_variance.exp() + log_variance).mean()


def above_one(outputs: Tensor, targets: Tensor) -> Tensor:
    """As good as it gets it is 1."""
    return 1 + (outputs - targets).square().mean()


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (Spread(), (1,)),
        (Refusing(), (1,)),
        (Distant(), (1,)),
        (gaussian, (2,)),
        (above_one, (1,)),
        (lambda o, _: o.square().mean(), (1,)),
        (lambda o, t: (o - t).mean(), (1,)),
        (lambda o, t: (o - t).square().mean() / 0, (1,)),
        (quantile_loss(0.9), (0,)),
        (quantile_loss(0.9), (1025,)),
        (quantile_loss(0.9), None),
    ],
)
def test_a_loss_of_which_a_constants_share_tells_nothing_has_none(
    loss: Loss, shape: tuple[int, ...] | None
) -> None:
    assert baseline_losses(loss, TRAIN, VAL, shape) is None


def test_a_search_that_takes_too_long_is_given_up() -> None:
    with mock.patch.object(searching, "_LONGEST", 0.0):
        assert fitted_constant(quantile_loss(0.9), TRAIN, (1,)) is None
    assert fitted_constant(quantile_loss(0.9), TRAIN, (1,)) is not None


def test_no_generator_is_moved_by_the_search() -> None:
    def drawing(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs + 1e-9 * torch.rand(()) - targets).square().mean()

    random = torch.get_rng_state()
    assert baselines(drawing, TRAIN, VAL, 1).train > 0
    assert torch.equal(torch.get_rng_state(), random)


def test_sorted_targets_hide_no_loss_below_0() -> None:
    """A regression: the first rows, of which all targets were 0, were asked alone."""
    counts = torch.cat([torch.zeros(200, 1), COUNTS[:200]])
    spread = torch.cat([torch.zeros(200, 1), TRAIN[:200]])
    assert baseline_losses(gaussian, spread, spread, (2,)) is None
    assert baseline_losses(lambda o, t: (o.exp() - t * o).mean(), counts, counts, (1,)) is None


def test_of_several_valleys_the_lowest_is_found() -> None:
    """A regression: the search began at 0 and at the mean, between two heaps of targets."""
    heaps = torch.cat([drawn(0, 250, 1) - 50, drawn(1, 150, 1) + 50])

    def redescending(outputs: Tensor, targets: Tensor) -> Tensor:
        return (1 - torch.exp(-((outputs - targets) ** 2) / 2)).mean()

    grid = torch.linspace(-60, 60, 2401)[:, None]
    lowest = min(of_constant(redescending, each, heaps) for each in grid)
    assert baselines(redescending, heaps, heaps, 1).train == pytest.approx(lowest, rel=1e-3)


def test_a_partial_is_searched_with_its_options() -> None:
    wide, narrow = (partial(F.huber_loss, delta=delta) for delta in (10.0, 0.1))
    assert baselines(wide, TRAIN, VAL, 1).train > 10 * baselines(narrow, TRAIN, VAL, 1).train


def test_a_constant_is_finite_where_a_class_never_occurs() -> None:
    labels = LABELS.clamp(max=1)
    assert math.isfinite(baselines(own_cross_entropy, labels, LABELS, 3).val)
