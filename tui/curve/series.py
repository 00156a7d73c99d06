"""The series that a curve can show, and where their values are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..look.palette import Role
from ..words.wording import printable
from .columns import Columns

if TYPE_CHECKING:
    from .columns import Floats


class Series(msgspec.Struct, frozen=True):
    """One line: what it is called, its role in the picture, and where in an epoch it belongs.

    `is_noisy`: smoothing tells something of it; a learning rate is what the schedule says.
    """

    name: str
    label: str
    role: Role
    raw_role: Role
    at_middle: bool = False
    is_noisy: bool = True


LOSSES = (
    Series("train_loss", "train", "train", "train_raw", at_middle=True),
    Series("val_loss", "val", "val", "val_raw"),
    Series("train_loss_eval", "train (eval)", "train_eval", "train_eval_raw"),
    Series("penalty", "penalty", "penalty", "penalty_raw"),
    Series(
        "train_plus_penalty",
        "train + penalty",
        "train_plus_penalty",
        "train_plus_penalty_raw",
        at_middle=True,
    ),
)


def right_series(name: str) -> Series:
    """A series on the right-hand axis: the learning rate, the gradients' norm or a metric."""
    label = printable(name.replace("_", " "))
    return Series(name, label, "right", "right_raw", is_noisy=name != "lr")


def values_of(history: Columns, name: str) -> Floats | None:
    """A series' column; None when it was not measured."""
    if name == "train_plus_penalty":
        train, penalty = (values_of(history, part) for part in ("train_loss", "penalty"))
        return None if train is None or penalty is None else train + penalty
    return history.column(name) if name in history.names else None
