"""How much a plain method learns of the data, by rows that are left out in turn."""

from functools import partial
from unittest import mock

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge
from torch import Tensor, nn
from torch.nn import functional

from epochtop.core.data.dataset import Split
from epochtop.core.loss.loss_sum import Loss
from epochtop.core.training import learnable
from epochtop.core.training.learnable import learnable_share, residuals_of_rows_left_out
from epochtop.core.training.neighbours import distances_of
from epochtop.core.training.yardsticks import measured_yardsticks
from epochtop.core.verdict.curves import Yardsticks

from .drawn import drawn

ROWS, COLUMNS = 240, 3
INPUTS, NOISE = drawn(0, ROWS, COLUMNS), drawn(1, ROWS, 1)
CURVED = torch.sin(2 * INPUTS[:, :1]) + INPUTS[:, 1:2]


def share_of(targets: Tensor, loss: Loss | None = None, inputs: Tensor = INPUTS) -> float | None:
    """What is told of rows of which two thirds are for training."""
    train, val = (Split(inputs[part], targets[part]) for part in (slice(0, 160), slice(160, None)))
    return learnable_share(loss or nn.MSELoss(), train, val)


def test_a_row_is_told_as_scikit_learn_tells_it_by_all_others() -> None:
    inputs, targets = INPUTS[:100], (CURVED + NOISE)[:100].double()
    wanted = (targets - targets.mean()).numpy()
    distances = distances_of(inputs).square()
    kernel = torch.exp(-distances / (0.5 * distances.median())).numpy()
    left = 0.0
    for row in range(100):
        others = np.arange(100) != row
        ridge = KernelRidge(alpha=0.1, kernel="precomputed")
        ridge.fit(kernel[np.ix_(others, others)], wanted[others])
        told = ridge.predict(kernel[row : row + 1, others])
        left += ((wanted[row] - told) ** 2).item()

    with mock.patch.multiple(learnable, _WIDTHS=(0.5,), _RIDGES=(0.1,)):
        found = residuals_of_rows_left_out(inputs, targets)
    assert found is not None
    assert float(found.square().sum()) == pytest.approx(left, rel=1e-9)


def test_of_noise_next_to_nothing_is_told_and_of_a_function_nearly_all() -> None:
    nothing, most = share_of(NOISE), share_of(CURVED)
    assert nothing is not None
    assert most is not None
    assert nothing < 0.1
    assert most > 0.95


def test_with_noise_of_the_functions_own_size_half_is_told() -> None:
    half = share_of(CURVED / CURVED.std() + NOISE / NOISE.std())
    assert half == pytest.approx(0.45, abs=0.1)


def test_what_is_told_does_not_depend_on_units() -> None:
    units = torch.tensor([1.0, 1e3, 1e-3])
    share = share_of(CURVED + NOISE)
    assert share_of(7e4 * (CURVED + NOISE) + 3, inputs=INPUTS * units) == pytest.approx(share)


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), functional.cross_entropy])
def test_classes_are_told_whatever_their_numbers(loss: Loss) -> None:
    classes = (INPUTS[:, 0] > 0).long()
    share = share_of(classes, loss)
    assert share is not None
    assert share > 0.6
    assert share_of(17 - 5 * classes, loss) == pytest.approx(share)


def test_categories_are_told_by_how_many_differ() -> None:
    categories = torch.randint(4, (ROWS, 2), generator=torch.Generator().manual_seed(0))
    effects = torch.tensor([0.0, 3.0, -1.0, 0.5])
    share = share_of(effects[categories].sum(1, keepdim=True), inputs=categories)
    assert share is not None
    assert share > 0.9


def test_of_many_rows_some_are_looked_at_in_either_split() -> None:
    inputs = drawn(2, 5000, COLUMNS)
    targets = inputs[:, :1].clone()
    targets[4000:] = 0  # of the validation rows nothing is to be told
    train, val = Split(inputs[:4000], targets[:4000]), Split(inputs[4000:], targets[4000:])
    share = learnable_share(nn.MSELoss(), train, val)
    assert share == pytest.approx(0.8, abs=0.1)


def test_of_classes_that_come_in_turn_all_are_looked_at() -> None:
    """A regression: every third row was looked at, of rows that were of every third class."""
    labels = torch.arange(1198) % 3
    inputs = drawn(2, 1198, COLUMNS) + 3 * labels[:, None]
    train, val = Split(inputs[:800], labels[:800]), Split(inputs[800:], labels[800:])
    share = learnable_share(nn.CrossEntropyLoss(), train, val)
    assert share is not None
    assert share > 0.8


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_of_copies_nothing_is_told_by_the_others(dtype: torch.dtype) -> None:
    rows = (100 + 20 * drawn(4, 120, 30)).to(dtype)
    inputs, noise = rows.repeat(2, 1), NOISE[:120].repeat(2, 1)
    share = share_of(noise, inputs=inputs)
    assert share is not None
    assert share < 0.1


def test_targets_that_do_not_count_are_not_looked_at() -> None:
    classes = (INPUTS[:, 0] > 0).long()
    ignored = torch.arange(ROWS) % 3 == 0
    share = share_of(torch.where(ignored, -100, classes), nn.CrossEntropyLoss())
    assert share == pytest.approx(
        share_of(classes[~ignored], nn.CrossEntropyLoss(), INPUTS[~ignored]), abs=1e-9
    )
    assert share_of(torch.full((ROWS,), -100), nn.CrossEntropyLoss()) is None


def test_of_splits_whose_rows_have_other_shapes_nothing_is_said() -> None:
    """A model may take rows of any length, and then a run must not end before it begins."""
    train = Split(INPUTS[:160], NOISE[:160])
    for val in (Split(drawn(3, 80, 7), NOISE[160:]), Split(INPUTS[160:], drawn(3, 80, 2))):
        assert learnable_share(nn.MSELoss(), train, val) is None


@pytest.mark.parametrize(
    ("targets", "loss", "inputs"),
    [
        pytest.param(torch.ones(ROWS, 1), None, INPUTS, id="targets that are all the same"),
        pytest.param(NOISE, None, torch.ones(ROWS, 2), id="inputs that are all the same"),
        pytest.param(NOISE, None, INPUTS[:, :0], id="inputs of no columns"),
        pytest.param(NOISE / 0, None, INPUTS, id="targets that are no numbers"),
        pytest.param(NOISE.expand(-1, 1025), None, INPUTS, id="a thousand targets a row"),
        pytest.param(NOISE[:99], None, INPUTS[:99], id="few rows"),
        pytest.param(NOISE, None, INPUTS[:, None] + 0j, id="complex inputs"),
        pytest.param(
            torch.zeros(ROWS, 4, dtype=torch.long),
            partial(functional.cross_entropy, reduction="sum"),
            INPUTS,
            id="several classes a row",
        ),
    ],
)
def test_nothing_is_said_of(targets: Tensor, loss: Loss | None, inputs: Tensor) -> None:
    assert share_of(targets, loss, inputs) is None


def test_yardsticks_are_the_constants_losses_on_either_split_and_that_share() -> None:
    train, val = Split(INPUTS[:160], CURVED[:160]), Split(INPUTS[160:], CURVED[160:])
    found = measured_yardsticks(nn.MSELoss(), train, val)
    mean = CURVED[:160].mean()
    assert found.constant == pytest.approx(float((CURVED[160:] - mean).square().mean()))
    assert found.train_constant == pytest.approx(float((CURVED[:160] - mean).square().mean()))
    assert found.learnable_share == learnable_share(nn.MSELoss(), train, val)


def own_squares(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared errors as a user writes them."""
    return (outputs - targets).square().mean()


def quantile_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Lowest at the upper tenth."""
    errors = targets - outputs
    return torch.maximum(0.9 * errors, -0.1 * errors).mean()


def test_of_absolute_errors_and_quantiles_less_can_go_than_of_squared_errors() -> None:
    """What the function itself leaves of a constant's loss; noise is as likely to be normal."""
    losses: tuple[Loss, ...] = (nn.MSELoss(), nn.L1Loss(), quantile_loss)
    squared, *others = (share_of(CURVED + NOISE, loss) for loss in losses)
    assert squared is not None
    for share in others:
        assert share == pytest.approx(1 - (1 - squared) ** 0.5, abs=0.05)


def test_of_a_users_own_squares_as_much_can_go_as_of_torchs() -> None:
    targets = torch.cat([CURVED + NOISE, NOISE], 1)
    expected = share_of(targets)
    assert expected is not None
    for loss in (own_squares, nn.HuberLoss(delta=1e3)):
        assert share_of(targets, loss) == pytest.approx(expected, abs=1e-3)


def test_where_far_outliers_count_little_they_do_not_hide_what_can_be_told() -> None:
    """A regression: of Huber's loss the share of the variance was told, which outliers rule."""
    far = torch.where(torch.arange(ROWS)[:, None] % 20 == 0, 10.0, 0.0)
    squared, huber = (share_of(CURVED + far, loss) for loss in (nn.MSELoss(), nn.HuberLoss()))
    assert squared is not None
    assert huber is not None
    assert huber > squared + 0.1


def test_of_a_loss_of_labels_the_share_of_their_variance_can_go() -> None:
    labels = (INPUTS[:, 0] > 0).long()

    def own(outputs: Tensor, targets: Tensor) -> Tensor:
        return -outputs.log_softmax(1).gather(1, targets[:, None]).mean()

    expected = share_of(labels, nn.CrossEntropyLoss())
    for loss in (own, nn.MultiMarginLoss()):
        assert share_of(labels, loss) == expected
    binary = labels[:, None].float()
    assert share_of(binary, nn.BCEWithLogitsLoss()) == share_of(binary)


def test_where_no_constants_loss_is_known_neither_is_what_a_method_takes_of_it() -> None:
    """A regression: what had gone of the first epoch's loss was compared with that share."""
    train, val = Split(INPUTS[:160], CURVED[:160]), Split(INPUTS[160:], CURVED[160:])
    assert measured_yardsticks(lambda o, _: o.sum(), train, val, (1,)) == Yardsticks()
    assert measured_yardsticks(nn.HuberLoss(), train, val) == Yardsticks()
    assert measured_yardsticks(nn.HuberLoss(), train, val, (1,)).learnable_share is not None


def test_a_constants_loss_that_is_infinite_is_none() -> None:
    train, val = (Split(INPUTS[:9], torch.full((9,), label)) for label in (0, 1))
    found = measured_yardsticks(nn.CrossEntropyLoss(), train, val)
    assert (found.constant, found.train_constant) == (None, 0.0)
