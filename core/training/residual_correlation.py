"""Whether the residuals of rows with like inputs are alike: what has not been learnt yet.

Noise that no model can learn differs from row to row. What the inputs tell and the model has
missed, for want of capacity or of time, is much the same in neighbouring rows. Losses alone
cannot tell the two apart: either leaves them high and level.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ..batches.source import Source
from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..loss.residuals import residuals_of
from ..verdict.reference import compares_residuals
from .evaluation import OnBatch, take_nothing
from .neighbours import are_comparable, nearest, thinned

# Of a larger split so many rows are taken, evenly spaced; fewer in all tell too little.
_ROWS, _FEWEST_ROWS = 1000, 100
# A row with more outputs is an image or a text by itself, and its own neighbours are within it.
_MOST_OUTPUTS = 1024


class ResidualCorrelation:
    """Measures the correlation in some epochs, on rows that are evaluated anyhow.

    Args:
        loss: of outputs and targets.
        accounting: how it counts.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self._residuals_of = residuals_of(loss, accounting)
        self._is_possible = self._residuals_of is not None
        self._is_wanted = False
        self._inputs: list[Tensor] = []
        self._residuals: list[Tensor] = []
        self._looked_at: tuple[Tensor, Tensor | None] | None = None

    def begin(self, epoch: int) -> None:
        """Forget the rows of an evaluation that was left before its end."""
        self._inputs, self._residuals = [], []
        self._is_wanted = self._is_possible and compares_residuals(epoch)

    def taker_of(self, source: Source) -> OnBatch:
        """What takes in a split's batches while they are evaluated."""
        if not self._is_wanted:
            return take_nothing
        total, seen = source.num_rows, 0
        step = math.ceil((total or 1) / _ROWS)

        def on_batch(outputs: Any, targets: Tensor, content: Any) -> None:
            nonlocal seen
            chosen = slice(-seen % step, None, step)
            seen += len(targets)
            # of a stream nobody knows which rows to take
            if total is None or seen > total or not _is_a_row_each(outputs, targets):
                self._is_possible = False
            if self._is_possible:
                self._take(outputs, targets, source.inputs_of(content), chosen)

        return on_batch

    def measure(self) -> LossSum:
        """The correlation, still on the device: a `LossSum`'s only loss; none if nobody can tell.

        It is the cosine between all residuals and the means of their rows' nearest others, after
        P. A. P. Moran, Notes on continuous stochastic phenomena, Biometrika 1950: 1 where
        neighbours miss their targets by the same, about 0 where by chance.
        """
        found, inputs, residuals = LossSum(), self._inputs, self._residuals
        self._inputs, self._residuals = [], []
        is_enough = self._is_possible and sum(map(len, residuals)) >= _FEWEST_ROWS
        if not is_enough or not _are_of_one_width(inputs) or not _are_of_one_width(residuals):
            return found
        rows, neighbours = torch.cat(residuals), self._neighbours_of(torch.cat(inputs))
        if neighbours is not None:
            around = rows[neighbours.to(rows.device)].mean(1)
            # nan where nothing is left
            found.add((rows * around).sum() / (rows.norm() * around.norm()), 1.0)
        return found

    def _take(self, outputs: Tensor, targets: Tensor, inputs: Tensor | None, chosen: slice) -> None:
        residuals = self._residuals_of and self._residuals_of(outputs, targets)
        if residuals is None or inputs is None or not are_comparable(inputs, len(targets)):
            self._is_possible = False
            return
        # copies, or a loader's whole batch would live on
        self._residuals.append(residuals[chosen].clone())
        self._inputs.append(thinned(inputs[chosen]).cpu())

    def _neighbours_of(self, inputs: Tensor) -> Tensor | None:
        """Each row's neighbours, searched anew only where a loader gives other rows than before."""
        if self._looked_at is None or not torch.equal(self._looked_at[0], inputs):
            self._looked_at = inputs, nearest(inputs)
        return self._looked_at[1]


def _is_a_row_each(outputs: Any, targets: Tensor) -> bool:
    """Whether each target has an output, which is no image or text of its own."""
    is_tensor = isinstance(outputs, Tensor) and outputs.dim() > 0
    return is_tensor and len(outputs) == len(targets) and outputs[:1].numel() <= _MOST_OUTPUTS


def _are_of_one_width(parts: list[Tensor]) -> bool:
    return len({part.shape[1] for part in parts}) == 1
