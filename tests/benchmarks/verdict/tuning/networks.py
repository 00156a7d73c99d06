"""Problems for networks that are more than layers in a row."""

import numpy as np
import torch
from torch import Tensor, nn

from ..problem import (
    Family,
    Problem,
    flipped,
    mlp,
    normal,
    of_classes,
    pick,
    regression,
    taught,
    two_classes,
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


class _Attention(nn.Module):
    """Classes from a sequence of tokens, each of which looks at all others once."""

    def __init__(self, tokens: int, length: int, width: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(tokens, width), nn.Embedding(length, width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.out = nn.Sequential(nn.LayerNorm(width), mlp(width, 2, 32))

    def forward(self, inputs: Tensor) -> Tensor:
        seen = self.tokens(inputs) + self.places.weight
        looked, _ = self.attention(seen, seen, seen, need_weights=False)
        result: Tensor = self.out((seen + looked).mean(1))
        return result


def attention(rng: np.random.Generator) -> Problem:
    """Whether the first token comes again, and a few labels wrong, through one of attention."""
    tokens, length, noise = 8, 6, float(pick(rng, 0.0, 0.2))

    def probabilities_of(inputs: Tensor) -> Tensor:
        again = (inputs[:, 1:] == inputs[:, :1]).any(1)
        return flipped(two_classes(40.0 * again - 20), noise)

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        return torch.from_numpy(rng.integers(tokens, size=(rows, columns)))

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=length,
        rows=int(pick(rng, 150, 500, 1200)),
        model=_Attention(tokens, length, int(pick(rng, 8, 24))),
        epochs=int(rng.integers(20, 60)),
        settings={"optim.name": "adamw", "optim.lr": pick(rng, 0.002, 0.01)},
        inputs_of=inputs_of,
    )


class _LongMemory(nn.Module):
    """Classes from a sequence of numbers, by a recurrent network that may forget."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(1, width, batch_first=True)
        self.out = nn.Linear(width, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        states, _ = self.recurrent(inputs[:, :, None])
        result: Tensor = self.out(states[:, -1])
        return result


def turning_points(rng: np.random.Generator) -> Problem:
    """Whether a short series has more peaks than one would expect, through a recurrent network."""
    steepness = float(pick(rng, 1.0, 4.0))

    def probabilities_of(inputs: Tensor) -> Tensor:
        turns = inputs.diff(dim=1).sign().diff(dim=1).abs().sum(1) / 2
        return two_classes(steepness * (turns - 4))

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=8,
        rows=int(pick(rng, 150, 500, 1200)),
        model=_LongMemory(int(pick(rng, 4, 16, 48))),
        epochs=int(rng.integers(20, 60)),
        settings={"optim.lr": pick(rng, 0.005, 0.02), "optim.clip_norm": pick(rng, 0.0, 1.0)},
    )


class _Gated(nn.Module):
    """A hidden layer each of whose units is let through by another."""

    def __init__(self, columns: int, width: int, outputs: int) -> None:
        super().__init__()
        self.gate, self.value = nn.Linear(columns, width), nn.Linear(columns, width)
        self.out = nn.Linear(width, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        result: Tensor = self.out(self.gate(inputs).sigmoid() * self.value(inputs))
        return result


def gated_layers(rng: np.random.Generator) -> Problem:
    """Lines of which one or the other holds, through a gated layer."""
    columns = 8
    lines = normal(rng, columns, 2)

    def function(inputs: Tensor) -> Tensor:
        first, second = (inputs @ lines).unbind(1)
        return torch.where(inputs[:, 0] > 0, first, second)[:, None]

    return regression(
        rng,
        function,
        columns=columns,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=_Gated(columns, int(pick(rng, 2, 16, 96)), 1),
        rows=int(pick(rng, 60, 200, 800)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


class _OfSets(nn.Module):
    """A number from a set, whatever its order: the mean of what each member gives."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.each, self.out = mlp(1, width, width), mlp(width, 1, width)

    def forward(self, inputs: Tensor) -> Tensor:
        result: Tensor = self.out(self.each(inputs[:, :, None]).mean(1))
        return result


def sets(rng: np.random.Generator) -> Problem:
    """How much the members of a set differ, through a network that knows no order."""

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        return normal(rng, rows, columns) * torch.exp(0.5 * normal(rng, rows, 1))

    return regression(
        rng,
        lambda inputs: inputs.std(1, keepdim=True).log(),
        columns=8,
        noise=float(pick(rng, 0.1, 0.5, 1.5)),
        model=_OfSets(int(pick(rng, 2, 8, 32))),
        rows=int(pick(rng, 60, 200, 600)),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
        inputs_of=inputs_of,
    )


def deep_and_narrow(rng: np.random.Generator) -> Problem:
    """Many narrow layers, each normalised, on classes that need few."""
    columns, width, classes = 6, int(pick(rng, 4, 12, 32)), 3
    layers = [
        nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU())
        for _ in range(int(rng.integers(2, 6)))
    ]
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 3.0),
        columns=columns,
        rows=int(pick(rng, 100, 400, 1200)),
        model=nn.Sequential(nn.Linear(columns, width), *layers, nn.Linear(width, classes)),
        epochs=int(rng.integers(30, 80)),
        settings={"optim.name": "adamw", "optim.lr": pick(rng, 0.001, 0.005)},
    )


NETWORKS = (
    Family("dropout", dropout),
    Family("sequences", sequences),
    Family("attention", attention),
    Family("turning points", turning_points),
    Family("gated layers", gated_layers),
    Family("sets", sets),
    Family("deep and narrow", deep_and_narrow),
)
