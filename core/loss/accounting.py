"""How a batch's loss counts in the loss of its split, whatever the criterion.

A criterion's "mean" is a sum over a denominator of its own. Cross-entropy divides by the sum of
the weights of the targets that are not ignored, squared errors by the elements, and a batch in
which every target is ignored gives 0 / 0. So the mean of batch means, even one weighted by rows,
is not the split's mean. Here each batch counts with its own denominator:

    loss of a split = sum of numerators / sum of denominators,  both in float64

What torch divides by is in aten/src/ATen/native/LossNLL.cpp; the tests compare it, option by
option, with formulas written out over single samples.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..errors import LossError
from ..precision import in_float64
from .changed_criterion import divides_by
from .class_targets import weights_of_classes
from .criterion import Criterion, Reduction, criterion_of


@dataclass(frozen=True)
class Accounting:
    """How the batches of one loss add up to the loss of their split.

    Args:
        criterion: the loss, described.
        reduction: what the loss returns for a batch, its mean or its sum.
        own_denominator: the loss's own `denominator(outputs, targets)`, if it has one.
    """

    criterion: Criterion
    reduction: Reduction
    own_denominator: Callable[[Any, Any], Any] | None = None

    @property
    def can_be_empty(self) -> bool:
        """Whether a batch's denominator may be 0, and its loss then nan.

        Every criterion over class indices ignores an index unless told otherwise (-100);
        `row_weights` says which rows of a split really count for nothing.
        """
        return self.own_denominator is not None or self.criterion.is_of_classes

    def row_weights(self, targets: Tensor) -> Tensor | None:
        """What each row adds to a batch's denominator, where the targets alone tell.

        Args:
            targets: of shape (rows, ...), as the loss takes them.

        Returns:
            float64 of shape (rows,) on the targets' device (on the CPU for mps, which has no
            float64), or None where only the loss itself can tell.
        """
        if self.own_denominator is not None:
            return None
        if self._holds_indices(targets):
            return self._weights_of_classes(targets)
        ones = torch.ones(_rows_of(targets), device=targets.device)
        return in_float64(ones) * self._terms_of_a_row(targets)

    def denominator(self, outputs: Any, targets: Any) -> float | Tensor:
        """What a batch's mean loss was divided by: a number, or float64 of shape () on its device.

        Raises:
            LossError: the loss's own `denominator` does not give one number; or it has none, and
                the targets have no rows to count.
        """
        if self.own_denominator is not None:
            return _one_number(self.own_denominator(outputs, targets))
        if self._holds_indices(targets):
            return self._weights_of_classes(targets).sum()
        return float(_rows_of(targets) * self._terms_of_a_row(targets))

    def denominator_of(self, known: float | None, outputs: Any, targets: Any) -> float | Tensor:
        """The denominator that the targets alone have told, else the batch's."""
        return self.denominator(outputs, targets) if known is None else known

    def numerator(self, loss_value: float, denominator: float) -> float:
        """What a batch adds to the split's sum, from its loss and its denominator.

        A batch that nothing counts in adds nothing. One case cannot be read back from torch: with
        label smoothing, a batch of nothing but classes of weight 0 has a smoothing term, but its
        mean is nan; it is left out. With `reduction="sum"` it counts.
        """
        if self.reduction == "sum":
            return 0.0 if denominator == 0 and math.isnan(loss_value) else loss_value
        return 0.0 if denominator == 0 else loss_value * denominator

    def _holds_indices(self, targets: Tensor) -> bool:
        return self.criterion.is_of_classes and not targets.is_floating_point()

    def _weights_of_classes(self, targets: Tensor) -> Tensor:
        weight, ignored = self.criterion.options.get("weight"), self.criterion.ignore_index
        return weights_of_classes(targets, weight, ignored)

    def _terms_of_a_row(self, targets: Tensor) -> int:
        """How many terms of the mean a row has, where every row has as many."""
        if self.criterion.is_of_classes:  # probabilities of shape (rows, classes, ...)
            return math.prod(targets.shape[2:])
        if self.criterion.is_elementwise and self.criterion.options.get("reduction") != "batchmean":
            return math.prod(targets.shape[1:])
        return 1


def accounting_of(loss: Callable[..., Any]) -> Accounting:
    """Say how the batches of a loss count.

    Args:
        loss: takes outputs and targets and returns one number: a criterion of torch.nn, a function
            of torch.nn.functional, a partial of one, or a user's own. A user's own counts as a
            mean over the rows, or the sum over them if its `reduction` says "sum", unless it has
            a method `denominator(outputs, targets)` that says what the batch's mean is divided
            by.

    Raises:
        LossError: it returns a loss for each row or element, or cannot be called; or it is a
            subclass of a class criterion and nobody can tell what it divides by.
    """
    criterion = criterion_of(loss)
    own_denominator = getattr(loss, "denominator", None)
    if own_denominator is None:
        criterion = _as_it_counts(loss, criterion)
    return Accounting(criterion, criterion.reduction, own_denominator)


def _as_it_counts(loss: Callable[..., Any], criterion: Criterion) -> Criterion:
    """A changed criterion as one of torch's or of a user's own, whichever it divides like."""
    is_known = not (criterion.changed and criterion.is_of_classes)
    if is_known or criterion.reduction == "sum":
        return criterion
    match divides_by(loss, criterion):
        case "weights":
            return criterion
        case "rows":
            return replace(criterion, function=None)
    raise LossError(
        f"loss: found {criterion.name}, whose mean over two rows is that over neither rows nor "
        "class weights; allowed: with a method `denominator(outputs, targets)` that says what "
        "the mean of a batch is divided by"
    )


def exact_mean(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The sum of the numerators over that of the denominators, rounded once each.

    Returns:
        nan if the denominators add up to 0; nan or infinite as the numbers are.

    Raises:
        ValueError: there are not as many of one as of the other.
    """
    if len(numerators) != len(denominators):
        raise ValueError(f"{len(numerators)} numerators, but {len(denominators)} denominators")
    total = _exact_sum(denominators)
    return _exact_sum(numerators) / total if total != 0 else math.nan


def check_shapes(loss: Callable[..., Any], outputs: Tensor, targets: Tensor) -> None:
    """Refuse outputs and targets that an elementwise criterion would broadcast in silence.

    Raises:
        LossError: outputs of shape (rows, 1) and targets of shape (rows,), say, of which torch
            would compare every row with every other.
    """
    criterion = criterion_of(loss)
    if criterion.is_elementwise and outputs.shape != targets.shape:
        raise LossError(
            f"loss: found outputs of shape {tuple(outputs.shape)} and targets of shape "
            f"{tuple(targets.shape)}, which {criterion.name} compares element by element; "
            "allowed: the same shape for both"
        )


def _rows_of(targets: Any) -> int:
    if isinstance(targets, Tensor) and targets.dim():
        return targets.shape[0]
    raise LossError(
        f"targets: found a {type(targets).__name__}; allowed: a tensor of shape (rows, ...), or a "
        "loss with a method `denominator(outputs, targets)`, which says what its mean is divided by"
    )


def _one_number(value: Any) -> float | Tensor:
    if not isinstance(value, Tensor):
        return float(value)
    if value.numel() != 1:
        raise LossError(
            f"loss: found a denominator of shape {tuple(value.shape)}; allowed: one number for "
            "the batch, what its mean loss is divided by"
        )
    return in_float64(value.detach()).reshape(())


def _exact_sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond float64, or infinities of both signs
        return sum(values)
