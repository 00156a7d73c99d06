"""A criterion is recognised however it is given, and so is what it returns."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody gives it
from torch import Tensor, nn

from epochtop.core.errors import EpochtopError, LossError
from epochtop.core.loss.accounting import accounting_of
from epochtop.core.loss.criterion import criterion_of


def test_the_reduction_is_found_wherever_it_is_said() -> None:
    def own(outputs: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
        return F.mse_loss(outputs, targets, reduction=reduction)

    assert accounting_of(nn.MSELoss()).reduction == "mean"
    assert accounting_of(nn.MSELoss(reduction="sum")).reduction == "sum"
    assert accounting_of(nn.KLDivLoss(reduction="batchmean")).reduction == "mean"
    assert accounting_of(F.cross_entropy).reduction == "mean"
    assert accounting_of(functools.partial(F.mse_loss, reduction="sum")).reduction == "sum"
    assert accounting_of(functools.partial(F.mse_loss, size_average=False)).reduction == "sum"
    assert accounting_of(own).reduction == "mean"
    assert accounting_of(functools.partial(own, reduction="sum")).reduction == "sum"
    assert accounting_of(nn.MarginRankingLoss()).reduction == "mean"


def focal(outputs: Tensor, targets: Tensor, reduction: str = "none") -> Tensor:
    """A function with the default of torchvision's sigmoid_focal_loss."""
    return F.binary_cross_entropy_with_logits(outputs, targets, reduction=reduction)


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(reduction="none"),
        functools.partial(F.mse_loss, reduction="none"),
        functools.partial(F.mse_loss, reduce=False),
        focal,
    ],
)
def test_a_loss_for_each_element_is_refused(loss: Callable[..., Tensor]) -> None:
    with pytest.raises(EpochtopError, match=r"reduction='none'.*allowed: one number for a batch"):
        accounting_of(loss)
    assert accounting_of(functools.partial(focal, reduction="mean")).reduction == "mean"


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(LossError, match="found 'mse'; allowed: a criterion"):
        accounting_of("mse")  # type: ignore[arg-type]


def test_a_function_with_the_weights_of_one_batch_is_refused() -> None:
    options: dict[str, Any] = {"weight": torch.ones(4, 1)}
    weighted = functools.partial(F.huber_loss, **options)
    with pytest.raises(LossError, match=r"found huber_loss with a weight for the elements"):
        accounting_of(weighted)


def test_a_module_a_partial_and_a_subclass_describe_the_same_criterion() -> None:
    class Named(nn.CrossEntropyLoss):
        pass

    class Hotter(nn.CrossEntropyLoss):
        def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch's names
            return super().forward(input * 2, target)

    weight = torch.tensor([1.0, 2.0])
    given: list[Callable[..., Tensor]] = [
        nn.CrossEntropyLoss(weight, ignore_index=7),
        functools.partial(F.cross_entropy, weight=weight, ignore_index=7),
        Named(weight, ignore_index=7),
        Hotter(weight, ignore_index=7),
    ]
    criteria = [criterion_of(loss) for loss in given]
    assert {criterion.function for criterion in criteria} == {"cross_entropy"}
    assert {criterion.ignore_index for criterion in criteria} == {7}
    assert all(torch.equal(criterion.options["weight"], weight) for criterion in criteria)
    assert [criterion.changed for criterion in criteria] == [False, False, False, True]


def test_a_function_that_only_bears_the_name_of_one_is_a_users_own() -> None:
    def mse_loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().sum(1).mean()

    assert criterion_of(mse_loss).function is None
    assert criterion_of(torch.dist).function is None  # has no signature to read
