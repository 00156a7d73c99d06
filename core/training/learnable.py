"""How much of the targets a plain method tells of rows that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..data.dataset import Split
from ..loss.criterion import criterion_of
from ..loss.loss_sum import Loss
from ..loss.told_share import share_of_loss
from ..seeds import drawn_places
from .neighbours import are_categories, are_comparable, distances_of, thinned

# So many rows are looked at; what is told of fewer than the fewest is too rough.
_ROWS, _FEWEST_ROWS = 400, 100
# So many rows are thinned at a time.
_AT_A_TIME = 16
# A row with more targets is an image or a text by itself.
_MOST_TARGETS = 1024
# How wide a kernel is, in medians of the squared distances, and what is added to its diagonal.
_WIDTHS = (0.1, 0.5, 2.0)
_RIDGES = (1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)


def learnable_share(
    loss: Loss, train: Split, val: Split, output_shape: Sequence[int] | None = None
) -> float | None:
    """The share of a constant's loss that kernel regression takes away on rows left out.

    It looks at some rows of both splits; a class is a vector of one 1 among 0. Of copies
    one is looked at, as by the others each would be told whatever it is; categories have too few
    values for that. Where outputs are guesses at the targets the loss of what is told counts, with
    the best constant added. Elsewhere it is the share of the variance, about as much as goes of a
    cross-entropy.

    Args:
        loss: of outputs and targets.
        train: inputs and targets, of shape (rows, ...).
        val: the same.
        output_shape: that of one row's outputs, if known.

    Returns:
        0 to 1; None where nobody knows: for fewer than 100 rows that differ, for targets that are
        all the same, of which a row has many or several classes, and for splits whose rows have
        other shapes than each other's.
    """
    if not _are_alike(train, val):
        return None
    criterion = criterion_of(loss)
    inputs, targets = _some_rows(train, val)
    holds_classes = not (criterion.is_elementwise or targets.is_floating_point())
    if criterion.is_of_classes and holds_classes and targets.dim() == 1:
        counts = targets != criterion.ignore_index
        inputs, targets = inputs[counts], targets[counts]
    if len(inputs) < _FEWEST_ROWS or not inputs.numel():
        return None
    numbers = _as_numbers(targets, holds_classes=holds_classes)
    if numbers is None:
        return None
    first = _first_of_copies(inputs)
    numbers, targets = numbers[first], targets[first]
    residuals = residuals_of_rows_left_out(inputs[first], numbers)
    if residuals is None:
        return None
    share = 1 - float(residuals.square().sum() / (numbers - numbers.mean(0)).square().sum())
    if not (holds_classes or criterion.function == "mse_loss"):
        of_loss = share_of_loss(loss, targets, numbers - residuals, output_shape)
        share = share if of_loss is None else of_loss
    return max(0.0, share)


def residuals_of_rows_left_out(inputs: Tensor, targets: Tensor) -> Tensor | None:
    """What the best of a few kernels does not tell of each row when it is left out.

    The kernels are of radial basis functions; the best one leaves the least sum of squares. A
    row's residual where it is left out is that of the fit over one less its own weight in it
    (Rasmussen and Williams, Gaussian Processes for Machine Learning, section 5.4.2, where this is
    done for the likelihood).

    Args:
        inputs: of shape (rows, columns), finite; integers are categories.
        targets: float64 of shape (rows, numbers).

    Returns:
        of the targets' shape; None for fewer than 100 rows, and for rows that are all the same.
    """
    wanted = targets - targets.mean(0)
    if len(inputs) < _FEWEST_ROWS or not 0 < float(wanted.square().sum()) < math.inf:
        return None
    distances = distances_of(inputs).square()
    middle = float(distances.median())
    if not middle > 0:
        return None
    kernels = (torch.exp(-distances / (width * middle)) for width in _WIDTHS)
    best: Tensor = min((_residuals(kernel, wanted) for kernel in kernels), key=_sum_of_squares)
    return best


def _residuals(kernel: Tensor, wanted: Tensor) -> Tensor:
    """Those of rows left out, by the ridge that leaves least."""
    values, vectors = torch.linalg.eigh(kernel)
    values, told = values.clamp_min(0), vectors.T @ wanted
    found = []
    for ridge in _RIDGES:
        kept = values / (values + ridge)
        own = vectors.square() @ kept
        left = wanted - vectors @ (kept[:, None] * told)
        found.append(left / (1 - own).clamp_min(1e-6)[:, None])
    best: Tensor = min(found, key=_sum_of_squares)
    return best


def _sum_of_squares(residuals: Tensor) -> float:
    return float(residuals.square().sum())


def _are_alike(train: Split, val: Split) -> bool:
    """Whether the rows of both are tensors that can be looked at together."""
    plain = all(are_comparable(split.inputs, len(split.targets)) for split in (train, val))
    shapes = [(split.inputs.shape[1:], split.targets.shape[1:]) for split in (train, val)]
    return plain and shapes[0] == shapes[1]


def _some_rows(train: Split, val: Split) -> tuple[Tensor, Tensor]:
    """Inputs and targets of rows from anywhere in both splits, on the CPU."""
    in_train = len(train.targets)
    places = drawn_places(in_train + len(val.targets), _ROWS)
    of_splits = (train, places[places < in_train]), (val, places[places >= in_train] - in_train)
    inputs = [_thinned_rows(split.inputs, chosen) for split, chosen in of_splits]
    targets = [split.targets[chosen.to(split.targets.device)].cpu() for split, chosen in of_splits]
    return torch.cat(inputs), torch.cat(targets)


def _thinned_rows(inputs: Tensor, places: Tensor) -> Tensor:
    """Some rows' thinned inputs on the CPU, a few at a time: wide ones may fill a GPU."""
    few = torch.split(places.to(inputs.device), _AT_A_TIME)
    return torch.cat([thinned(inputs[each]).cpu() for each in few])


def _first_of_copies(inputs: Tensor) -> Tensor:
    """The places of all rows but those whose numbers were there before."""
    places = torch.arange(len(inputs))
    if are_categories(inputs):
        return places
    _, kinds = torch.unique(inputs, dim=0, return_inverse=True)
    first = torch.full((int(kinds.max()) + 1,), len(inputs)).scatter_reduce(
        0, kinds, places, "amin"
    )
    return first.sort().values


def _as_numbers(targets: Tensor, *, holds_classes: bool) -> Tensor | None:
    """Targets as float64 of shape (rows, numbers)."""
    if holds_classes:
        if targets.dim() > 1:
            return None
        _, classes = torch.unique(targets, return_inverse=True)
        return functional.one_hot(classes).double()
    if math.prod(targets.shape[1:]) > _MOST_TARGETS or targets.is_complex():
        return None
    return targets.reshape(len(targets), -1).double()
