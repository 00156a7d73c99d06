"""Whether the residuals of rows with like inputs are alike: what has not been learnt yet.

Noise that no model can learn differs from row to row. What the inputs tell and the model has
missed, for want of capacity or of time, is much the same in neighbouring rows. Losses alone
cannot tell the two apart: either leaves them high and level.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..batches.source import Source
from ..loss.accounting import Accounting
from ..loss.loss_sum import Loss, LossSum
from ..loss.residuals import residuals_of
from ..verdict.reference import compares_residuals
from .neighbours import nearest, thinned

OnBatch = Callable[[Any, Tensor, Any], None]

# Of a larger split so many rows are taken, evenly spaced.
_ROWS = 1000
# A row with more outputs is an image or a text by itself, and none of another's residuals.
_MOST_OUTPUTS = 1024


class ResidualCorrelation:
    """Measures the correlation in some epochs, on rows that are evaluated anyhow.

    Args:
        loss: of outputs and targets.
        accounting: how it counts.
    """

    def __init__(self, loss: Loss, accounting: Accounting) -> None:
        self._residuals = residuals_of(loss, accounting)
        self._neighbours: Tensor | None = None
        self._has_looked = False
        self._is_wanted = False
        self._inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def begin(self, epoch: int) -> None:
        """Forget the rows of an evaluation that was left before its end."""
        self._inputs, self._outputs, self._targets = [], [], []
        may_be_known = not self._has_looked or self._neighbours is not None
        self._is_wanted = self._residuals is not None and may_be_known and compares_residuals(epoch)

    def rows_of(self, source: Source) -> OnBatch:
        """What takes in a split's batches as they are evaluated: outputs, targets and content."""
        if not self._is_wanted:
            return _ignore
        seen, step, known = 0, math.ceil((source.num_rows or 1) / _ROWS), self._has_looked

        def on_batch(outputs: Any, targets: Tensor, content: Any) -> None:
            nonlocal seen
            chosen = slice(-seen % step, None, step)
            if source.num_rows is not None or seen < _ROWS:
                self._take(outputs, targets, None if known else source.inputs_of(content), chosen)
            seen += len(targets)

        return on_batch

    def measure(self) -> LossSum:
        """The correlation, still on the device: a `LossSum`'s only loss; none if nobody can tell.

        It is the cosine between all residuals and the means of their rows' nearest others, after
        P. A. P. Moran, Notes on continuous stochastic phenomena, Biometrika 1950: 1 where
        neighbours miss their targets by the same, about 0 where by chance.
        """
        found, outputs, targets, inputs = LossSum(), self._outputs, self._targets, self._inputs
        self._inputs, self._outputs, self._targets = [], [], []
        if not outputs or self._residuals is None:
            return found
        if not self._has_looked:
            self._has_looked = True
            self._neighbours = _neighbours_of(inputs, outputs)
        residuals = self._residuals(torch.cat(outputs), torch.cat(targets))
        if self._neighbours is None or len(self._neighbours) != len(residuals):
            return found
        around = residuals[self._neighbours].mean(1)
        found.add(functional.cosine_similarity(residuals.flatten(), around.flatten(), dim=0), 1.0)
        return found

    def _take(self, outputs: Any, targets: Tensor, inputs: Tensor | None, chosen: slice) -> None:
        if not isinstance(outputs, Tensor) or outputs[:1].numel() > _MOST_OUTPUTS:
            return
        if inputs is not None:
            self._inputs.append(thinned(inputs[chosen]).cpu())
        self._outputs.append(outputs[chosen].clone())  # the model may use the memory again
        self._targets.append(targets[chosen])


def _neighbours_of(inputs: list[Tensor], outputs: list[Tensor]) -> Tensor | None:
    is_known = sum(map(len, inputs)) == sum(map(len, outputs))
    is_alike = len({each.shape[1:] for each in inputs}) == 1
    found = nearest(torch.cat(inputs)) if is_known and is_alike else None
    return None if found is None else found.to(outputs[0].device)


def _ignore(_outputs: Any, _targets: Tensor, _content: Any) -> None:
    """Take in nothing."""
