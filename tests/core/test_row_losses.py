"""Each row's own loss, and a rise of their mean with its standard error."""

import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from epochtop.core.loss.accounting import accounting_of
from epochtop.core.loss.baseline import baseline_losses
from epochtop.core.loss.row_losses import rise_of, row_losses_of

from .drawn import CLASSES, classes, drawn

ROWS = 12
WEIGHT = torch.tensor([1.0, 2.0, 0.5])


def some_ignored(targets: Tensor) -> Tensor:
    targets[::4] = -100
    return targets


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (nn.CrossEntropyLoss(), drawn(0, ROWS, CLASSES), classes(ROWS)),
        (nn.CrossEntropyLoss(weight=WEIGHT), drawn(0, ROWS, CLASSES), classes(ROWS)),
        (nn.CrossEntropyLoss(), drawn(0, ROWS, CLASSES), some_ignored(classes(ROWS))),
        (nn.CrossEntropyLoss(label_smoothing=0.1), drawn(0, ROWS, CLASSES, 5), classes(ROWS, 5)),
        (nn.CrossEntropyLoss(reduction="sum"), drawn(0, ROWS, CLASSES), classes(ROWS)),
        (partial(functional.cross_entropy, weight=WEIGHT), drawn(0, ROWS, 3), classes(ROWS)),
        (nn.BCEWithLogitsLoss(pos_weight=WEIGHT), drawn(0, ROWS, 3), drawn(1, ROWS, 3).sigmoid()),
        (nn.MSELoss(), drawn(0, ROWS, 2, 4), drawn(1, ROWS, 2, 4)),
        (nn.HuberLoss(delta=0.3), drawn(0, ROWS, 1), drawn(1, ROWS, 1)),
        (functional.l1_loss, drawn(0, ROWS), drawn(1, ROWS)),
    ],
)
def test_the_rows_losses_over_what_they_count_are_the_batchs_loss(
    loss: Any, outputs: Tensor, targets: Tensor
) -> None:
    accounting = accounting_of(loss)
    row_losses, weights = row_losses_of(loss, accounting), accounting.row_weights(targets)
    assert row_losses is not None
    assert weights is not None
    total = weights.sum() if accounting.reduction == "mean" else 1.0
    rows = row_losses(outputs, targets)
    assert rows is not None
    assert rows.shape == (ROWS,)
    assert float(rows.sum() / total) == pytest.approx(float(loss(outputs, targets)), rel=1e-6)
    assert getattr(loss, "reduction", "mean") == accounting.reduction


class Doubled(nn.MSELoss):
    """A criterion that a subclass has changed."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - as torch calls it
        return 2 * super().forward(input, target)


class Focal(nn.CrossEntropyLoss):
    """Easy rows count less, and the mean is that over the rows."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - as torch calls it
        each = functional.cross_entropy(input, target, self.weight, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()


class Quantile(nn.Module):
    """The loss that is lowest at a quantile."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = nn.Buffer(torch.tensor(share))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = targets - outputs
        return torch.maximum(self.share * errors, (self.share - 1) * errors).mean()


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (Doubled(), drawn(0, ROWS, 2), drawn(1, ROWS, 2)),
        (Doubled(reduction="sum"), drawn(0, ROWS, 2), drawn(1, ROWS, 2)),
        (Focal(WEIGHT), drawn(0, ROWS, CLASSES), classes(ROWS)),
        (Focal(), drawn(0, ROWS, CLASSES, 5), classes(ROWS, 5)),
        (Quantile(0.9), drawn(0, ROWS, 1), drawn(1, ROWS, 1)),
        (Quantile(0.9).forward, drawn(0, ROWS, 1), drawn(1, ROWS, 1)),
        (torch.compile(Quantile(0.9), backend="eager"), drawn(0, ROWS), drawn(1, ROWS)),
        (lambda outputs, targets: (outputs - targets).abs().mean(), drawn(0, ROWS), drawn(1, ROWS)),
        (
            partial(lambda outputs, targets, by: by * (outputs - targets).abs().mean(), by=3),
            drawn(0, ROWS, 3),
            drawn(1, ROWS, 3),
        ),
    ],
)
def test_a_loss_of_ones_own_is_asked_about_each_row_by_itself(
    loss: Any, outputs: Tensor, targets: Tensor
) -> None:
    accounting = accounting_of(loss)
    row_losses, weights = row_losses_of(loss, accounting), accounting.row_weights(targets)
    assert row_losses is not None
    assert weights is not None
    rows = row_losses(outputs, targets)
    assert rows is not None
    assert rows.shape == (ROWS,)
    each = [float(loss(outputs[[row]], targets[[row]])) for row in range(ROWS)]
    counts = weights if accounting.reduction == "mean" else torch.ones(ROWS)
    assert rows.tolist() == pytest.approx((torch.tensor(each) * counts).tolist(), rel=1e-5)
    total = weights.sum() if accounting.reduction == "mean" else 1.0
    assert float(rows.sum() / total) == pytest.approx(float(loss(outputs, targets)), rel=1e-5)


class OverAll(nn.Module):
    """The spread of all errors: no row has a part of it."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).std(correction=0)


class Warming(nn.Module):
    """Counts its calls, and becomes steeper with them."""

    calls = 0

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        self.calls += 1
        return min(1.0, self.calls / 100) * (outputs - targets).square().mean()


class Remembering(nn.Module):
    """Keeps what it saw last."""

    last: Tensor | None = None

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        self.last = outputs
        return (outputs - targets).square().mean()


class Branching(nn.Module):
    """Looks at a number, which nobody can do for all rows at once."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = (outputs - targets).square().mean()
        return errors if float(errors) < 1 else errors.sqrt()


class Noisy(nn.Module):
    """Draws random numbers."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs + torch.randn_like(outputs) - targets).square().mean()


class Perceptual(nn.Module):
    """Compares what a network makes of outputs and targets."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(2, 10_000)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        distance: Tensor = self.network(outputs) - self.network(targets)
        return distance.square().mean()


class Counted(Quantile):
    """Says by itself what its mean is over."""

    def denominator(self, _: Tensor, targets: Tensor) -> int:
        return targets.numel()


@pytest.mark.parametrize(
    "loss",
    [OverAll(), Warming(), Remembering(), Branching(), Noisy(), Perceptual(), Counted(0.5)],
)
def test_where_rows_cannot_be_asked_by_themselves_only_the_batchs_number_is_known(
    loss: Any,
) -> None:
    row_losses = row_losses_of(loss, accounting_of(loss))
    outputs, targets, random = drawn(0, ROWS, 2), drawn(1, ROWS, 2), torch.get_rng_state()
    assert row_losses is None or row_losses(outputs, targets) is None
    assert torch.equal(torch.get_rng_state(), random)
    assert getattr(loss, "calls", 0) == 0
    assert getattr(loss, "last", None) is None


class Averaging(nn.Module):
    """Keeps an average of what it was."""

    usual: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(()))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = (outputs - targets).square().mean()
        self.usual = 0.9 * self.usual + 0.1 * errors.detach()
        return errors


def test_a_loss_that_averages_is_left_as_it_was() -> None:
    """A regression: comparing what only lives while all rows are asked ended the run."""
    loss = Averaging()
    row_losses = row_losses_of(loss, accounting_of(loss))
    assert row_losses is not None
    assert row_losses(drawn(0, ROWS, 2), drawn(1, ROWS, 2)) is None
    assert float(loss.usual) == 0


calls, calls_by_name = 0, {"squares": 0}


def counting(outputs: Tensor, targets: Tensor) -> Tensor:
    """A loss that counts its calls in a variable of its file."""
    global calls  # noqa: PLW0603 - as people do
    calls += 1
    return (outputs - targets).square().mean()


def noting(outputs: Tensor, targets: Tensor) -> Tensor:
    """A loss that counts its calls in something that its file holds."""
    calls_by_name["squares"] += 1
    return (outputs - targets).square().mean()


def closed_over() -> tuple[Any, list[int]]:
    """A loss that counts its calls in what it was made with."""
    seen: list[int] = []

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        seen.append(len(targets))
        return (outputs - targets).square().mean()

    return loss, seen


def test_a_function_that_remembers_is_not_asked_more_often() -> None:
    of_closure, seen = closed_over()
    for loss in (counting, noting, partial(noting), of_closure):
        row_losses = row_losses_of(loss, accounting_of(loss))
        assert row_losses is not None
        assert row_losses(drawn(0, ROWS, 2), drawn(1, ROWS, 2)) is None
        baseline_losses(loss, drawn(0, ROWS, 2), drawn(1, ROWS, 2), (2,))
    assert (calls, calls_by_name, seen) == (0, {"squares": 0}, [])


def test_of_a_batch_of_one_row_nobody_can_tell_whether_rows_add_up() -> None:
    row_losses = row_losses_of(OverAll(), accounting_of(OverAll()))
    assert row_losses is not None
    assert row_losses(drawn(0, 1, 2), drawn(1, 1, 2)) is None
    assert row_losses(drawn(0, ROWS, 2), drawn(1, ROWS, 2)) is None


@pytest.mark.parametrize("outputs", [(drawn(0, ROWS, 2),), drawn(0, ROWS + 1, 2)])
def test_outputs_that_are_no_row_each_are_not_asked_about(outputs: Any) -> None:
    def loss(given: Any, targets: Tensor) -> Tensor:
        return torch.mean(targets - 0 * given[0].sum())

    row_losses = row_losses_of(loss, accounting_of(loss))
    assert row_losses is not None
    assert row_losses(outputs, drawn(1, ROWS, 2)) is None


@pytest.mark.parametrize("weights", [torch.ones(50, dtype=torch.float64), 1.0])
def test_the_error_of_a_rise_is_that_of_the_mean_of_the_differences(
    weights: Tensor | float,
) -> None:
    now, before = drawn(0, 50).double(), drawn(1, 50).double()
    rise, error = rise_of(now, before, weights)
    differences = (now - before).numpy()
    assert float(rise) == pytest.approx(differences.mean())
    assert float(error) == pytest.approx(differences.std(ddof=1) / math.sqrt(50))


def test_rows_of_two_targets_each_have_half_the_rise_of_their_sums() -> None:
    now, before = drawn(0, 50).double(), drawn(1, 50).double()
    whole, half = rise_of(now, before, 1.0), rise_of(now, before, 2.0)
    assert float(half[0]) == pytest.approx(float(whole[0]) / 2)
    assert float(half[1]) == pytest.approx(float(whole[1]) / 2)


def test_rows_that_count_nothing_move_neither_a_rise_nor_its_error_much() -> None:
    now, before = drawn(0, 50).double(), drawn(1, 50).double()
    weights = torch.ones(50, dtype=torch.float64)
    nothing = torch.zeros(1000, dtype=torch.float64)
    alone = rise_of(now, before, weights)
    rise, error = rise_of(*(torch.cat([each, nothing]) for each in (now, before, weights)))
    assert float(rise) == pytest.approx(float(alone[0]))
    assert float(error) == pytest.approx(float(alone[1]), rel=0.02)


def broadcasting(outputs: Tensor, targets: Tensor) -> Tensor:
    """Torch warns of the shapes, and a run goes on all the same."""
    return functional.mse_loss(outputs, targets[:, 0])


def test_a_loss_that_warns_is_not_asked() -> None:
    row_losses = row_losses_of(broadcasting, accounting_of(broadcasting))
    assert row_losses is not None
    assert row_losses(drawn(0, ROWS, 2), drawn(1, ROWS, 2)) is None
