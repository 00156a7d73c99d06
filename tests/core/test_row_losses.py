"""Each row's own loss, and a rise of their mean with its standard error."""

import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from epochtop.core.loss.accounting import accounting_of
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
    assert rows.shape == (ROWS,)
    assert float(rows.sum() / total) == pytest.approx(float(loss(outputs, targets)), rel=1e-6)
    assert getattr(loss, "reduction", "mean") == accounting.reduction


class Doubled(nn.MSELoss):
    """A criterion that a subclass has changed."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - as torch calls it
        return 2 * super().forward(input, target)


@pytest.mark.parametrize("loss", [Doubled(), lambda outputs, targets: (outputs - targets).mean()])
def test_of_a_loss_of_ones_own_only_the_batchs_number_is_known(loss: Any) -> None:
    assert row_losses_of(loss, accounting_of(loss)) is None


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
