"""The loss of the best constant predictor: what a model reaches without looking at its inputs.

A model that does not beat it on the validation rows has learnt nothing from the features. The
constant is the one with the lowest training loss under the criterion in use, weights, smoothing
and ignored targets included, and it has a closed form where this module knows the criterion:

    cross-entropy          each class's share of the weighted, smoothed targets
    binary cross-entropy   each output's share of positives, these weighted by `pos_weight`
    squared, absolute      each output's mean, median

There its loss, too, follows from counts alone, so that nothing as large as a model's outputs is
built. Of all other losses the constant is searched for (see `searched_baseline`).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..precision import in_float64
from .accounting import exact_mean
from .class_targets import CHUNK_ELEMENTS, class_counts, row_chunks
from .criterion import Criterion, criterion_of
from .loss_sum import Loss
from .searched_baseline import Baselines, searched_baselines


def baseline_losses(
    loss: Loss, train_targets: Tensor, val_targets: Tensor, output_shape: Sequence[int] | None
) -> Baselines | None:
    """The losses of the constant that fits the training targets best.

    A loss is infinite if the constant calls impossible what the rows hold, such as a class that
    training never saw; nan if all of them are ignored.

    Args:
        loss: as the trainer takes it; it is not changed.
        train_targets: of shape (rows, ...), what the constant is made from.
        val_targets: of shape (rows, ...).
        output_shape: that of one row's outputs, if known.

    Returns:
        None where no best constant is known: for a loss that may be below 0 or does not add up
        from its rows, for training targets that are all ignored, and without an `output_shape`
        for all losses but the formulas', and for label smoothing.

    Raises:
        LossError: the targets hold a class that is none of the outputs.
    """
    criterion = criterion_of(loss)
    if hasattr(loss, "denominator"):
        return None
    formula = None if criterion.changed else _FORMULAS.get(criterion.function)
    if formula is not None:
        return formula(criterion, train_targets, val_targets, output_shape)
    if output_shape is None:
        return None
    return searched_baselines(loss, train_targets, val_targets, output_shape)


def _of_classes(
    criterion: Criterion, train: Tensor, val: Tensor, output_shape: Sequence[int] | None
) -> Baselines | None:
    """The criterion at log-shares s is -sum(mass * s): lowest where shares are as the masses."""
    num_classes = _num_classes(criterion, train, val, output_shape)
    if num_classes is None:
        return None
    masses = _class_masses(criterion, train, num_classes)
    if not masses.of_classes.sum() > 0:
        return None
    shares = masses.of_classes / masses.of_classes.sum()
    of_val = _class_masses(criterion, val, num_classes)
    costs = [-_mass_times_log(each.of_classes, shares).sum() for each in (of_val, masses)]
    return Baselines(
        exact_mean([float(costs[0])], [of_val.denominator]),
        exact_mean([float(costs[1])], [masses.denominator]),
    )


def _num_classes(
    criterion: Criterion, train: Tensor, val: Tensor, output_shape: Sequence[int] | None
) -> int | None:
    """How many outputs there are; where none are smoothed, one that never occurs is no matter."""
    if train.is_floating_point():
        return train.shape[1]
    if output_shape:
        return output_shape[0]
    if (weight := criterion.options.get("weight")) is not None:
        return len(weight)
    if criterion.options.get("label_smoothing"):
        return None
    return max(1, int(train.max()) + 1, int(val.max()) + 1)


class _Masses(NamedTuple):
    """What multiplies each class's log-share in the criterion's sum, and what divides that sum."""

    of_classes: Tensor
    denominator: float


def _class_masses(criterion: Criterion, targets: Tensor, num_classes: int) -> _Masses:
    """The masses of a split.

    Smoothing moves its part of every target to all classes alike, and each class's weight applies
    to what it then has (aten/src/ATen/native/LossNLL.cpp in torch).
    """
    if targets.is_floating_point():
        chunks = [in_float64(chunk.movedim(1, -1)) for chunk in row_chunks(targets)]
        counts = torch.stack([chunk.flatten(0, -2).sum(0) for chunk in chunks]).sum(0).cpu()
        positions = targets.numel() / targets.shape[1]
    else:
        counts = class_counts(targets, num_classes, criterion.ignore_index)
        positions = float(counts.sum())
    weight = criterion.options.get("weight")
    weights = torch.ones_like(counts) if weight is None else in_float64(weight.detach()).cpu()
    smoothing = criterion.options.get("label_smoothing") or 0.0
    masses = weights * ((1 - smoothing) * counts + smoothing / num_classes * positions)
    has_indices = not targets.is_floating_point()
    return _Masses(masses, float((weights * counts).sum()) if has_indices else positions)


def _of_binary(
    criterion: Criterion, train: Tensor, val: Tensor, _: Sequence[int] | None
) -> Baselines | None:
    """Each output's log-odds, or probability: its weighted share of positives."""
    weight = _for_each_output(criterion.options.get("weight"), train)
    pos_weight = _for_each_output(criterion.options.get("pos_weight"), train)
    if weight is None or pos_weight is None:
        return None
    masses = _binary_masses(train, weight, pos_weight)
    # Beyond this torch.nn.BCELoss takes no logarithm; logits have no such end.
    lowest = -100.0 if criterion.function == "binary_cross_entropy" else -math.inf
    shares = masses / masses.sum(0)
    costs = [
        float(-_mass_times_log(each, shares, lowest).sum())
        for each in (_binary_masses(val, weight, pos_weight), masses)
    ]
    return Baselines(costs[0] / val.numel(), costs[1] / train.numel())


def _for_each_output(weight: Tensor | None, targets: Tensor) -> Tensor | None:
    """A weight as one factor for each output; None if it is another one for each row."""
    if weight is None:
        return torch.ones((), dtype=torch.float64)
    weight = in_float64(weight.detach()).cpu()
    if weight.dim() == targets.dim() and weight.shape[0] == 1:
        weight = weight[0]
    try:
        return weight.expand(targets.shape[1:])
    except RuntimeError:
        return None


def _binary_masses(targets: Tensor, weight: Tensor, pos_weight: Tensor) -> Tensor:
    """How much the positives of each output weigh, and its negatives: shape (2, *row)."""
    positives = _column_sums(targets)
    return weight * torch.stack([pos_weight * positives, targets.shape[0] - positives])


def _mass_times_log(mass: Tensor, share: Tensor, lowest: float = -math.inf) -> Tensor:
    """Mass times log(share), and 0 where there is no mass: what never occurs costs nothing."""
    return (mass * share.log().clamp(min=lowest)).where(mass != 0, 0.0)


def _of_squares(_: Criterion, train: Tensor, val: Tensor, __: Sequence[int] | None) -> Baselines:
    mean = _mean(train)
    return Baselines(*(_cost(mean, targets, torch.square) for targets in (val, train)))


def _of_absolutes(_: Criterion, train: Tensor, val: Tensor, __: Sequence[int] | None) -> Baselines:
    median = _median(train)
    return Baselines(*(_cost(median, targets, torch.abs) for targets in (val, train)))


def _cost(constant: Tensor, targets: Tensor, penalty: Callable[[Tensor], Tensor]) -> float:
    sums = []
    for chunk in row_chunks(targets):
        rows = in_float64(chunk)
        sums.append(float(penalty(rows - constant.to(rows.device)).sum()))
    return exact_mean(sums, [float(chunk.numel()) for chunk in row_chunks(targets)])


def _mean(targets: Tensor) -> Tensor:
    return _column_sums(targets) / targets.shape[0]


def _column_sums(targets: Tensor) -> Tensor:
    """Sums over the rows, float64 on the CPU, in the shape of one row."""
    return torch.stack([in_float64(chunk).sum(0) for chunk in row_chunks(targets)]).sum(0).cpu()


def _median(targets: Tensor) -> Tensor:
    """Halfway between the two middle values of an even number of rows, for each output."""
    rows = targets.shape[0]
    columns = targets.reshape(rows, -1)
    middles = [
        in_float64(chunk).sort(0).values[[(rows - 1) // 2, rows // 2]].mean(0).cpu()
        for chunk in torch.split(columns, max(1, CHUNK_ELEMENTS // rows), dim=1)
    ]
    return torch.cat(middles).reshape(targets.shape[1:])


_FORMULAS: dict[str | None, Callable[..., Baselines | None]] = {
    "cross_entropy": _of_classes,
    "nll_loss": _of_classes,
    "binary_cross_entropy_with_logits": _of_binary,
    "binary_cross_entropy": _of_binary,
    "mse_loss": _of_squares,
    "l1_loss": _of_absolutes,
}
