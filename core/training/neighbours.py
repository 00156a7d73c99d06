"""Which rows' inputs are most alike."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..seeds import drawn_places

# So many others are each row's neighbours.
NEIGHBOURS = 5
# Of wider inputs so many columns are looked at; categories are slower to compare.
_MOST_NUMBERS, _MOST_CATEGORIES = 1024, 128
_NUMBERS_AS_INTEGERS = (torch.uint8, torch.bool)  # images and flags


def are_comparable(inputs: Tensor, rows: int) -> bool:
    """Whether so many rows lie in the tensor one after another, in plain numbers."""
    is_plain = inputs.layout is torch.strided and not inputs.is_nested and not inputs.is_complex()
    return is_plain and inputs.dim() > 0 and len(inputs) == rows


def thinned(inputs: Tensor) -> Tensor:
    """Inputs of shape (rows, ...) as a new tensor of finite numbers, of shape (rows, columns).

    Of wide ones it has always the same columns.
    """
    rows = inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))
    most = _MOST_CATEGORIES if are_categories(rows) else _MOST_NUMBERS
    if rows.shape[1] > most:
        rows = rows[:, drawn_places(rows.shape[1], most).to(rows.device)]
    if not rows.is_floating_point():
        return rows.clone()
    return rows.float().nan_to_num(0.0, 0.0, 0.0)


def nearest(inputs: Tensor) -> Tensor | None:
    """Each row's nearest others, but for copies: what is said of a row twice is no news.

    Args:
        inputs: of shape (rows, columns), finite.

    Returns:
        indices of shape (rows, `NEIGHBOURS`); None for too few rows that differ.
    """
    if not inputs.numel():
        return None
    _, kinds, counts = torch.unique(inputs, dim=0, return_inverse=True, return_counts=True)
    if len(inputs) - int(counts.max()) < NEIGHBOURS:
        return None
    distances = distances_of(inputs)
    # of many that are as near each row has others
    lots = torch.rand(distances.shape, generator=torch.Generator().manual_seed(0))
    distances += 1e-6 * distances.mean() * lots
    distances[kinds[:, None] == kinds] = math.inf
    return distances.topk(NEIGHBOURS, largest=False).indices


def distances_of(inputs: Tensor) -> Tensor:
    """How far rows are from each other, of shape (rows, rows).

    Each column of numbers counts in units of its own spread. Of categories, which is what integers
    are taken for, the square is how many of them differ.

    Args:
        inputs: of shape (rows, columns), finite.
    """
    columns = inputs.double()
    if are_categories(inputs):
        return torch.cdist(columns, columns, p=0).sqrt()
    spread = columns.std(0)
    varied = (columns - columns.mean(0))[:, spread > 0] / spread[spread > 0]
    return torch.cdist(varied, varied)


def are_categories(rows: Tensor) -> bool:
    """Whether rows hold categories, which is what integers are taken for but bytes and flags."""
    return not rows.is_floating_point() and rows.dtype not in _NUMBERS_AS_INTEGERS
