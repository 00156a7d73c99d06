"""How much of what the inputs tell of the targets a model has not learnt.

Noise that no model can learn differs from row to row. What the inputs tell and the model has
missed, for want of capacity or of time, is much the same in rows with like inputs: there the
residuals are alike. Losses alone cannot tell the two apart: either leaves them high and level.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..batches.source import Source
from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..loss.residuals import residuals_of, uninformed_outputs_of
from ..seeds import drawn_places
from ..verdict.reference import compares_residuals
from .evaluation import OnBatch, take_nothing
from .neighbours import are_comparable, nearest, thinned

# Of a larger split so many rows are taken; fewer in all tell too little.
_ROWS, _FEWEST_ROWS = 1000, 100
# A row with more outputs is an image or a text by itself, and its own neighbours are within it.
_MOST_OUTPUTS = 1024
# How alike neighbours' targets must be, as a cosine: by chance alone its standard deviation is
# about 1.25 / sqrt(rows) (simulated for 2 to 20 columns), and three of these it hardly reaches.
_LEAST_ALIKE, _LEAST_ALIKE_OF_FEW = 0.1, 4.0


class _Rows(NamedTuple):
    """Some rows' inputs, their residuals, and what these were if no row had outputs of its own."""

    inputs: Tensor
    residuals: Tensor
    uninformed: Tensor


class UnlearntShare:
    """Measures the share in some epochs, on rows that are evaluated anyhow.

    Args:
        loss: of outputs and targets.
        accounting: how it counts.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self._residuals_of = residuals_of(loss, accounting)
        self._uninformed = uninformed_outputs_of(loss, accounting)
        self._is_possible = self._residuals_of is not None
        self._is_wanted = False
        self._taken: list[_Rows] = []
        self._looked_at: tuple[Tensor, Tensor | None] | None = None

    def begin(self, epoch: int) -> None:
        """Forget the rows of an evaluation that was left before its end."""
        self._taken = []
        self._is_wanted = self._is_possible and compares_residuals(epoch)

    def taker_of(self, source: Source) -> OnBatch:
        """What takes in a split's batches while they are evaluated."""
        if not self._is_wanted:
            return take_nothing
        total, seen = source.num_rows, 0
        places = drawn_places(total or 0, _ROWS)

        def on_batch(outputs: Any, targets: Tensor, content: Any) -> None:
            nonlocal seen
            chosen = places[(places >= seen) & (places < seen + len(targets))] - seen
            seen += len(targets)
            # of a stream nobody knows which rows to take
            is_known = self._is_possible and total is not None and seen <= total
            rows = self._rows_of(outputs, targets, source.inputs_of(content)) if is_known else None
            if rows is None:
                self._is_possible = False
            else:
                inputs, *others = (part[chosen.to(part.device)] for part in rows)
                self._taken.append(_Rows(thinned(inputs), *others))

        return on_batch

    def measure(self) -> LossSum:
        """The share, still on the device: a `LossSum`'s only loss; none or nan if nobody can tell.

        It is the sum over the rows of r_i m_i, with r_i a row's residuals and m_i the mean of its
        neighbours', over the same sum of the best constant's residuals. In either sum independent
        noise cancels, and what neighbours have in common remains: of squared errors it is the
        share of the variance that the inputs explain and the model does not. The sums are those
        of P. A. P. Moran, Notes on continuous stochastic phenomena, Biometrika 1950.
        """
        found, taken = LossSum(), self._taken
        self._taken = []
        widths = {(rows.inputs.shape[1], rows.residuals.shape[1]) for rows in taken}
        if not self._is_possible or len(widths) != 1:
            return found
        rows = _Rows(*map(torch.cat, zip(*taken, strict=True)))
        is_enough = len(rows.inputs) >= _FEWEST_ROWS
        if is_enough and (near := self._neighbours_of(rows.inputs.cpu())) is not None:
            near = near.to(rows.residuals.device)
            told = _in_common(rows.uninformed - rows.uninformed.mean(0), near)
            is_told = told.cosine >= max(_LEAST_ALIKE, _LEAST_ALIKE_OF_FEW * len(near) ** -0.5)
            share = _in_common(rows.residuals, near).sum / told.sum
            found.add(torch.where(is_told, share, math.nan), 1.0)
        return found

    def _rows_of(self, outputs: Any, targets: Tensor, inputs: Tensor | None) -> _Rows | None:
        """A batch's rows; None where nobody knows them."""
        if self._residuals_of is None or not _is_a_row_each(outputs, targets):
            return None
        if inputs is None or not are_comparable(inputs, len(targets)):
            return None
        residuals = self._residuals_of(outputs, targets)
        if residuals is None:
            return None
        uninformed = self._residuals_of(self._uninformed(outputs, targets), targets)
        return None if uninformed is None else _Rows(inputs, residuals, uninformed)

    def _neighbours_of(self, inputs: Tensor) -> Tensor | None:
        """Each row's neighbours, searched anew only where a loader gives other rows than before."""
        if self._looked_at is None or not torch.equal(self._looked_at[0], inputs):
            self._looked_at = inputs, nearest(inputs)
        return self._looked_at[1]


class _InCommon(NamedTuple):
    """What rows have in common with their neighbours: a sum of products, and it as a cosine."""

    sum: Tensor
    cosine: Tensor


def _in_common(rows: Tensor, neighbours: Tensor) -> _InCommon:
    around = rows[neighbours].mean(1)
    total = (rows * around).sum()
    return _InCommon(total, total / (rows.norm() * around.norm()))


def _is_a_row_each(outputs: Any, targets: Tensor) -> bool:
    """Whether each target has an output, which is no image or text of its own."""
    is_tensor = isinstance(outputs, Tensor) and outputs.dim() > 0
    return is_tensor and len(outputs) == len(targets) and outputs[:1].numel() <= _MOST_OUTPUTS
