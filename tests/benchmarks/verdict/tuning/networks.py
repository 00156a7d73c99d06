"""Problems for networks that are more than layers in a row."""

import numpy as np
import torch
from torch import Tensor, nn

from ..problem import (
    Family,
    Problem,
    mlp,
    of_classes,
    pick,
    regression,
    taught,
)


def dropout(rng: np.random.Generator) -> Problem:
    """Networks with dropout, whose train loss while learning lies above the validation loss."""
    columns = 8
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.2)), 6.0),
        columns=columns,
        rows=int(pick(rng, 200, 600, 1500)),
        model=mlp(columns, 3, 64, 1, float(pick(rng, 0.2, 0.5))),
        epochs=int(rng.integers(30, 100)),
    )


class _LastState(nn.Module):
    """A number from a sequence, by the last state of a recurrent network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(1, width, batch_first=True)
        self.out = nn.Linear(width, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        states, _ = self.recurrent(inputs[:, :, None])
        result: Tensor = self.out(states[:, -1])
        return result


def sequences(rng: np.random.Generator) -> Problem:
    """What a short sequence's numbers, later ones more than earlier ones, give in the end."""

    def function(inputs: Tensor) -> Tensor:
        state = torch.zeros(len(inputs), 1)
        for step in range(inputs.shape[1]):
            state = torch.tanh(0.8 * state + inputs[:, step : step + 1])
        return state

    return regression(
        rng,
        function,
        columns=6,
        noise=float(pick(rng, 0.1, 0.5, 1.5)),
        model=_LastState(int(pick(rng, 2, 16, 64))),
        rows=int(pick(rng, 60, 200, 600)),
        epochs=int(rng.integers(30, 80)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
    )


NETWORKS = (
    Family("dropout", dropout),
    Family("sequences", sequences),
)
