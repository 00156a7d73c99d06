"""Which rows' inputs are most alike."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# So many others are each row's neighbours.
NEIGHBOURS = 5
# Wider inputs are looked at in so many evenly spaced places; categories are slower to compare.
_MOST_NUMBERS, _MOST_CATEGORIES = 1024, 128
_NUMBERS_AS_INTEGERS = (torch.uint8, torch.bool)  # images and flags


def thinned(inputs: Tensor) -> Tensor:
    """Inputs of shape (rows, ...) as (rows, columns), of wide ones evenly spaced columns."""
    rows = inputs.reshape(len(inputs), -1)
    most = _MOST_CATEGORIES if _are_categories(rows) else _MOST_NUMBERS
    return rows[:, :: max(1, math.ceil(rows.shape[1] / most))]


def nearest(inputs: Tensor) -> Tensor | None:
    """Each row's nearest others.

    Numbers are near by their distance, each column in units of its own spread; categories, which
    is what integers are taken for, by how many of them are the same.

    Args:
        inputs: of shape (rows, columns).

    Returns:
        indices of shape (rows, `NEIGHBOURS`) on the CPU; None for too few rows, or where all are
        the same.
    """
    if len(inputs) <= NEIGHBOURS or not inputs.numel():
        return None
    columns = inputs.double()
    spread = columns.std(0)
    varied = columns[:, spread > 0]  # not true of nan
    if not varied.numel():
        return None
    if _are_categories(inputs):
        distances = torch.cdist(varied, varied, p=0)
    else:
        units = varied / spread[spread > 0]
        distances = torch.cdist(units, units)
    # of many that are as near each row has others
    lots = torch.rand(distances.shape, generator=torch.Generator().manual_seed(0))
    distances += 1e-9 * distances.mean() * lots
    return distances.fill_diagonal_(math.inf).topk(NEIGHBOURS, largest=False).indices


def _are_categories(rows: Tensor) -> bool:
    return not rows.is_floating_point() and rows.dtype not in _NUMBERS_AS_INTEGERS
