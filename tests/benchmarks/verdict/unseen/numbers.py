"""Problems of numbers."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..problem import (
    HELD_OUT,
    Family,
    Problem,
    mlp,
    normal,
    pick,
    regression,
    settings_with,
    split,
)


def counts(rng: np.random.Generator) -> Problem:
    """Counts whose logarithmic rate is smooth; the engine knows no constant's loss of these."""
    val, rows, columns = int(pick(rng, 150, 300, 600)), int(pick(rng, 80, 300, 1000)), 5
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    rates = 0.7 * torch.sin(1.5 * inputs[:, :1]) + 0.5 * inputs[:, 1:2] + 0.5
    targets = torch.from_numpy(rng.poisson(rates.exp().numpy()).astype(np.float32))
    train, validation, held = split(inputs, targets, rows, val)
    loss = nn.PoissonNLLLoss(full=True)
    constant = float(loss(train[1].mean().log().expand_as(held[1]), held[1]))
    model = mlp(columns, 1, int(pick(rng, 4, 32, 128)), int(rng.integers(1, 3)))
    bayes = float(loss(rates[rows + val :], held[1]))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005, 0.02)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


class _Embedded(nn.Module):
    """A number from what each category stands for, through a small network."""

    offsets: Tensor

    def __init__(self, columns: int, categories: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(columns * categories, width)
        self.out = nn.Sequential(nn.Linear(columns * width, 32), nn.ReLU(), nn.Linear(32, 1))
        self.register_buffer("offsets", torch.arange(columns) * categories)

    def forward(self, inputs: Tensor) -> Tensor:
        result: Tensor = self.out(self.embedding(inputs + self.offsets).flatten(1))
        return result


def categories(rng: np.random.Generator) -> Problem:
    """Columns of categories, many of them rare, each of which adds its own number."""
    columns, count = 3, int(pick(rng, 8, 40))
    effects = normal(rng, columns, count)

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        rank = rng.exponential(count / 4, (rows, columns)).astype(np.int64)
        return torch.from_numpy(rank.clip(max=count - 1))

    return regression(
        rng,
        lambda inputs: effects[torch.arange(columns), inputs].sum(1, keepdim=True),
        columns=columns,
        noise=float(pick(rng, 0.2, 0.8)),
        model=_Embedded(columns, count, int(pick(rng, 2, 16))),
        rows=int(pick(rng, 100, 400, 1500)),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
        inputs_of=inputs_of,
    )


def friedman(rng: np.random.Generator) -> Problem:
    """Friedman's first problem, ten columns of which five matter, with dropout."""

    def function(inputs: Tensor) -> Tensor:
        x = functional.sigmoid(1.7 * inputs)
        curved = 10 * torch.sin(math.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
        return (curved + 10 * x[:, 3] + 5 * x[:, 4])[:, None]

    return regression(
        rng,
        function,
        columns=10,
        noise=float(pick(rng, 0.2, 0.7)),
        model=mlp(10, 1, int(pick(rng, 16, 128)), 1, float(pick(rng, 0.0, 0.2, 0.5))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.weight_decay": pick(rng, 0.0, 0.03)},
    )


def exponential_targets(rng: np.random.Generator) -> Problem:
    """Targets of which a few are very large."""
    return regression(
        rng,
        lambda inputs: torch.exp(0.8 * inputs[:, :1] - 0.4 * inputs[:, 1:2].abs()),
        columns=4,
        noise=float(pick(rng, 0.05, 0.3, 0.8)),
        model=mlp(4, 1, int(pick(rng, 4, 32, 128)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 100, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def _laplace(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    return torch.from_numpy(rng.laplace(0, 0.7, (rows, columns)).astype(np.float32))


def absolute_errors(rng: np.random.Generator) -> Problem:
    """Medians of noisy targets, by the mean absolute error."""
    return regression(
        rng,
        lambda inputs: (inputs[:, :1] * inputs[:, 1:2]).tanh() + 0.5 * inputs[:, 2:3].cos(),
        columns=5,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=mlp(5, 1, int(pick(rng, 8, 64, 256)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
        loss=nn.L1Loss(),
        noise_of=_laplace,
    )


def cubic(rng: np.random.Generator) -> Problem:
    """A polynomial of the third degree, for lines and networks."""
    weights = normal(rng, 4, 1)[:, 0]

    def function(inputs: Tensor) -> Tensor:
        a, b = 0.7 * inputs[:, :1], 0.7 * inputs[:, 1:2]
        return weights[0] * a**3 + weights[1] * a * b**2 + weights[2] * a * b + weights[3] * b

    return regression(
        rng,
        function,
        columns=3,
        noise=float(pick(rng, 0.1, 0.5, 1.5)),
        model=mlp(3, 1, int(pick(rng, 4, 32, 128)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 60, 200, 800)),
        epochs=int(rng.integers(40, 120)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def largest_column(rng: np.random.Generator) -> Problem:
    """The largest of some columns, of which there are more."""
    count = int(pick(rng, 3, 8))
    return regression(
        rng,
        lambda inputs: inputs[:, :count].amax(1, keepdim=True),
        columns=12,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(12, 1, int(pick(rng, 8, 64)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 100, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.weight_decay": pick(rng, 0.0, 0.003)},
    )


class _Quantile(nn.Module):
    """The loss whose lowest is at a quantile: errors to the one side cost more."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = targets - outputs
        return torch.maximum(self.share * errors, (self.share - 1) * errors).mean()


def quantiles(rng: np.random.Generator) -> Problem:
    """The upper tenth of targets, by a loss that the engine knows nothing of."""
    share, columns = 0.9, 4
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 100, 300, 1000))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    clean = torch.sin(1.5 * inputs[:, :1]) + inputs[:, 1:2] * inputs[:, 2:3]
    noise = float(pick(rng, 0.2, 0.6, 1.2))
    train, validation, held = split(inputs, clean + noise * normal(rng, len(inputs), 1), rows, val)
    loss = _Quantile(share)
    constant = float(loss(train[1].quantile(share).expand_as(held[1]), held[1]))
    of_normal = float(torch.special.ndtri(torch.tensor(share)))
    bayes = float(loss(clean[rows + val :] + noise * of_normal, held[1]))
    model = mlp(columns, 1, int(pick(rng, 8, 64)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def _mostly_small(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    spread = np.where(rng.random((rows, columns)) < 0.05, 8.0, 0.5)
    return torch.from_numpy((spread * rng.standard_normal((rows, columns))).astype(np.float32))


def outliers(rng: np.random.Generator) -> Problem:
    """One target in twenty is far off, under a loss that bears it or the squared one."""
    return regression(
        rng,
        lambda inputs: torch.tanh(2 * inputs[:, :1]) + inputs[:, 1:2] * inputs[:, 2:3].sigmoid(),
        columns=6,
        noise=float(pick(rng, 0.2, 0.6, 1.2)),
        model=mlp(6, 1, int(pick(rng, 8, 64, 192)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 100, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
        loss=pick(rng, nn.SmoothL1Loss(), nn.MSELoss()),
        noise_of=_mostly_small,
    )


def fast_waves(rng: np.random.Generator) -> Problem:
    """A wave of one column with many turns, which smooth networks learn late."""
    frequency = float(pick(rng, 3.0, 6.0, 12.0))
    width, depth = int(pick(rng, 16, 64)), int(rng.integers(1, 3))
    layers = [nn.Sequential(nn.Linear(width, width), nn.SiLU()) for _ in range(depth)]
    return regression(
        rng,
        lambda inputs: torch.sin(frequency * inputs) + 0.5 * inputs,
        columns=1,
        noise=float(pick(rng, 0.1, 0.4)),
        model=nn.Sequential(nn.Linear(1, width), nn.SiLU(), *layers, nn.Linear(width, 1)),
        rows=int(pick(rng, 60, 250, 800)),
        epochs=int(rng.integers(40, 150)),
        settings={"optim.lr": pick(rng, 0.003, 0.01)},
    )


def next_of_a_series(rng: np.random.Generator) -> Problem:
    """The next number of short series that swing and forget."""
    damping = float(pick(rng, 0.7, 0.95))

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        steps, found = normal(rng, rows, columns), [normal(rng, rows, 1), normal(rng, rows, 1)]
        for step in range(columns):
            turned = 1.2 * damping * found[-1].tanh() - damping**2 * found[-2]
            found.append(turned + 0.5 * steps[:, step : step + 1])
        return torch.cat(found[2:], 1)

    def function(inputs: Tensor) -> Tensor:
        return 1.2 * damping * inputs[:, -1:].tanh() - damping**2 * inputs[:, -2:-1]

    return regression(
        rng,
        function,
        columns=16,
        noise=float(pick(rng, 0.3, 1.0)),
        model=mlp(16, 1, int(pick(rng, 8, 64, 192)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 60, 200, 800)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
        inputs_of=inputs_of,
    )


NUMBERS = (
    Family("counts", counts),
    Family("categories", categories),
    Family("friedman", friedman),
    Family("exponential targets", exponential_targets),
    Family("absolute errors", absolute_errors),
    Family("cubic", cubic),
    Family("largest column", largest_column),
    Family("quantiles", quantiles),
    Family("outliers", outliers),
    Family("fast waves", fast_waves),
    Family("next of a series", next_of_a_series),
)
