"""A user's own loss is asked where nothing shows it, and not where anything might."""

import functools
import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody gives it
from torch import Tensor, nn

from epochtop.core import Trainer, resolve_settings
from epochtop.core.data.dataset import Split
from epochtop.core.loss.own_loss import loss_to_ask
from epochtop.core.training.yardsticks import measured_yardsticks

from .drawn import drawn

SHARES = [0.1, 0.5, 0.9]
LOG: list[float] = []
ARRAY = np.arange(3.0)
STATE = {"calls": 0}


def halved(loss: Tensor) -> Tensor:
    return loss / 2


def quantiles(outputs: Tensor, targets: Tensor) -> Tensor:
    """Of a list that nobody changes."""
    errors = [targets - outputs[:, place : place + 1] for place in range(len(SHARES))]
    return sum(
        torch.maximum(share * error, (share - 1) * error).mean()
        for share, error in zip(SHARES, errors, strict=True)
    )  # type: ignore[return-value] # of at least one


def calls_another(outputs: Tensor, targets: Tensor) -> Tensor:
    return halved(F.mse_loss(outputs, targets)) + math.log(2)


class Weighted(nn.Module):
    """A module with a buffer, a setting and a criterion."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Buffer(torch.ones(1))
        self.delta = 0.5
        self.inner = nn.HuberLoss(delta=self.delta)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        loss: Tensor = self.inner(outputs, targets) * self.weight
        return loss.sum()


class Doubled(nn.MSELoss):
    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - as torch calls it
        return 2 * super().forward(input, target)


@pytest.mark.parametrize(
    "loss",
    [
        quantiles,
        calls_another,
        lambda outputs, targets: (outputs - targets).abs().mean(),
        functools.partial(F.huber_loss, delta=2.0),
        Weighted(),
        Weighted().forward,
        Doubled(),
        torch.compile(calls_another, backend="eager"),
        torch.compile(Doubled(), backend="eager"),
    ],
)
def test_a_loss_that_only_computes_is_asked(loss: Any) -> None:
    asked = loss_to_ask(loss)
    assert asked is not None
    outputs, targets = drawn(0, 9, 3), drawn(1, 9, 3)
    if loss is not quantiles:
        torch.testing.assert_close(asked(outputs, targets), loss(outputs, targets))


def logs(outputs: Tensor, targets: Tensor) -> Tensor:
    LOG.append(1.0)
    return F.mse_loss(outputs, targets)


def prints(outputs: Tensor, targets: Tensor) -> Tensor:
    print("a loss")
    return F.mse_loss(outputs, targets)


def of_an_attribute(outputs: Tensor, targets: Tensor) -> Tensor:
    of_an_attribute.calls = 1  # type: ignore[attr-defined] # as people do
    return F.mse_loss(outputs, targets)


def of_a_default(
    outputs: Tensor,
    targets: Tensor,
    state: dict[str, int] = {"calls": 0},  # noqa: B006 - as people do
) -> Tensor:
    state["calls"] += 1
    return F.mse_loss(outputs, targets)


def of_an_array(outputs: Tensor, targets: Tensor) -> Tensor:
    """A regression: an array has no truth, and a run ended by asking for it."""
    return F.mse_loss(outputs, targets) * float(ARRAY[1])


def logged(outputs: Tensor, targets: Tensor) -> Tensor:
    return halved(logs(outputs, targets))


def in_place(outputs: Tensor, targets: Tensor) -> Tensor:
    outputs -= targets
    return outputs.square().mean()


def by_method(outputs: Tensor, targets: Tensor) -> Tensor:
    return outputs.sub_(targets).square().mean()


def closed_over() -> Any:
    note = LOG.append

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        note(1.0)
        return F.mse_loss(outputs, targets)

    return loss


class OfItsClass(nn.Module):
    calls = 0

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        OfItsClass.calls += 1
        return F.mse_loss(outputs, targets)


class Averaging(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(1)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(self.norm(outputs), targets)


def hooked() -> nn.Module:
    loss = Doubled()
    loss.register_forward_hook(lambda *_: LOG.append(1.0))
    return loss


class Known:
    """Something of a user's own with a method that is a loss."""

    def __init__(self) -> None:
        self.network = nn.Linear(1000, 1000)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(outputs, targets) + 0 * self.network.weight.sum()


REMEMBERING = [
    logs,
    prints,
    of_an_attribute,
    of_a_default,
    functools.partial(of_a_default, state=STATE),
    of_an_array,
    logged,
    in_place,
    by_method,
    closed_over(),
    OfItsClass(),
    Averaging(),
    hooked(),
    Known().loss,
]


@pytest.mark.parametrize("loss", REMEMBERING)
def test_a_loss_that_may_remember_print_or_work_in_place_is_not_asked(loss: Any) -> None:
    assert loss_to_ask(loss) is None


@pytest.mark.parametrize("loss", [in_place, of_an_array, of_a_default, prints])
def test_with_such_a_loss_a_run_is_as_if_nobody_had_asked(loss: Any) -> None:
    """A regression: targets were overwritten, and a run ended."""
    inputs, targets = drawn(0, 60, 2), (drawn(1, 60, 1) > 0).float()
    before = targets.clone()
    train, val = ((inputs[part], targets[part]) for part in (slice(40), slice(40, None)))
    found = measured_yardsticks(loss, Split(*train), Split(*val), (1,))
    settings = resolve_settings(overrides=["train.epochs=3"])
    # in place, as the gradients do not need what was there before
    result = Trainer(nn.Linear(2, 1), loss, train=train, val=val, settings=settings).fit()
    assert found.constant is None
    assert torch.equal(targets, before)
    assert [record.val_rise for record in result.history] == [None] * 3
