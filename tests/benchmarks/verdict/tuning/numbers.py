"""Problems of numbers."""

import math

import numpy as np
import torch
from torch import Tensor, nn

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
    teacher,
)


def waves(rng: np.random.Generator) -> Problem:
    """A sum of sines, noise, models of every size."""
    frequencies = normal(rng, 3, 1) * 1.5
    return regression(
        rng,
        lambda inputs: torch.sin(inputs @ frequencies) + 0.5 * inputs[:, :1],
        columns=3,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(3, 1, int(pick(rng, 4, 32, 256)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 60, 200, 800)),
        epochs=int(rng.integers(40, 120)),
    )


def wide_regression(rng: np.random.Generator) -> Problem:
    """A line in many columns, fewer or more rows than those, with and without weight decay."""
    columns = int(pick(rng, 10, 60))
    weight = normal(rng, columns, 1)
    return regression(
        rng,
        lambda inputs: inputs @ weight,
        columns=columns,
        noise=float(pick(rng, 0.3, 1.0)),
        model=mlp(columns, 1, 0, 0),
        rows=int(pick(rng, 40, 80, 400)),
        epochs=int(rng.integers(60, 200)),
        settings={"optim.weight_decay": pick(rng, 0.0, 0.1), "optim.lr": pick(rng, 0.003, 0.01)},
    )


def interactions(rng: np.random.Generator) -> Problem:
    """Products of columns, of which a linear model sees nothing."""
    depth = int(rng.random() < 0.6)
    return regression(
        rng,
        lambda inputs: inputs[:, :1] * inputs[:, 1:2] + inputs[:, 2:3] * inputs[:, 3:4],
        columns=6,
        noise=float(pick(rng, 0.1, 0.5)),
        model=mlp(6, 1, 64, depth),
        rows=int(pick(rng, 150, 500, 1500)),
        epochs=int(rng.integers(40, 100)),
    )


def _student(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    return torch.from_numpy(rng.standard_t(3, (rows, columns)).astype(np.float32))


def heavy_tails(rng: np.random.Generator) -> Problem:
    """Noise with outliers under a loss that bears them, rates from too slow to diverging."""
    return regression(
        rng,
        lambda inputs: inputs[:, :1] * torch.sigmoid(3 * inputs[:, 1:2]) + inputs[:, 2:3],
        columns=4,
        noise=float(pick(rng, 0.1, 0.3, 0.6)),
        model=mlp(4, 1, int(pick(rng, 8, 64)), 1),
        rows=int(pick(rng, 100, 400, 1000)),
        epochs=int(rng.integers(30, 90)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": 0.9,
            "optim.lr": pick(rng, 0.0003, 0.003, 0.03, 0.3, 30.0),
        },
        loss=nn.HuberLoss(),
        noise_of=_student,
    )


def steps_of_one_column(rng: np.random.Generator) -> Problem:
    """Steps and a slope over one column, few rows, deep networks."""
    return regression(
        rng,
        lambda inputs: torch.sign(torch.sin(3 * inputs)) + 0.3 * inputs,
        columns=1,
        noise=float(pick(rng, 0.1, 0.5, 1.5)),
        model=mlp(1, 1, int(pick(rng, 3, 32, 128)), int(rng.integers(1, 4))),
        rows=int(pick(rng, 30, 100, 500)),
        epochs=int(rng.integers(40, 150)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
    )


def uneven_noise(rng: np.random.Generator) -> Problem:
    """Targets that are sure in some places and nearly all noise in others."""
    val, rows, columns = int(pick(rng, 150, 300, 600)), int(pick(rng, 80, 300, 1000)), 3
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    clean = torch.sin(2 * inputs[:, :1]) + 0.5 * inputs[:, 1:2]
    spread = float(pick(rng, 0.2, 0.6)) * torch.exp(1.2 * inputs[:, 2:3])
    targets = clean + spread * normal(rng, len(inputs), 1)
    mean, std = targets[:rows].mean(), targets[:rows].std()
    train, validation, held = split(inputs, (targets - mean) / std, rows, val)
    loss = nn.MSELoss()
    constant = float(held[1].square().mean())
    bayes = float(loss(((clean - mean) / std)[rows + val :], held[1]))
    model = mlp(columns, 1, int(pick(rng, 8, 64, 192)), int(rng.integers(1, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def several_outputs(rng: np.random.Generator) -> Problem:
    """Four numbers a row, which share what they depend on."""
    columns, outputs = 6, 4
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 60, 200, 800))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    with torch.no_grad():
        clean = teacher(rng, columns, outputs, 2.0)(inputs)
    clean = (clean - clean.mean(0)) / clean.std(0)
    targets = clean + float(pick(rng, 0.1, 0.4, 1.0)) * normal(rng, len(inputs), outputs)
    train, validation, held = split(inputs, targets, rows, val)
    loss = nn.MSELoss()
    constant = float(loss(train[1].mean(0).expand_as(held[1]), held[1]))
    bayes = float(loss(clean[rows + val :], held[1]))
    model = mlp(columns, outputs, int(pick(rng, 4, 32, 128)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


class _Factors(nn.Module):
    """A rating from what is known of who gave it and what it is of."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.of_people, self.of_things = nn.Embedding(count, width), nn.Embedding(count, width)
        self.out = nn.Linear(width, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        both = self.of_people(inputs[:, 0]) * self.of_things(inputs[:, 1])
        result: Tensor = self.out(both)
        return result


def ratings(rng: np.random.Generator) -> Problem:
    """Ratings that people give to things, by factors of both."""
    count = int(pick(rng, 10, 25))
    people, things = normal(rng, count, 3), normal(rng, count, 3)

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        return torch.from_numpy(rng.integers(count, size=(rows, columns)))

    return regression(
        rng,
        lambda inputs: (people[inputs[:, 0]] * things[inputs[:, 1]]).sum(1, keepdim=True),
        columns=2,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=_Factors(count, int(pick(rng, 2, 6, 24))),
        rows=int(pick(rng, 200, 600, 1500)),
        epochs=int(rng.integers(30, 100)),
        settings={
            "optim.weight_decay": pick(rng, 0.0, 0.001, 0.01),
            "optim.lr": pick(rng, 0.003, 0.02),
        },
        inputs_of=inputs_of,
    )


def distances(rng: np.random.Generator) -> Problem:
    """How far two points are from each other."""
    return regression(
        rng,
        lambda inputs: (inputs[:, :3] - inputs[:, 3:6]).norm(dim=1, keepdim=True),
        columns=6,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(6, 1, int(pick(rng, 8, 64, 256)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.name": "adamw", "optim.lr": pick(rng, 0.002, 0.008)},
    )


def denoising(rng: np.random.Generator) -> Problem:
    """Rows of few causes, to be freed from noise by a network that narrows in between.

    Of normal causes and noise the best is linear: that of Wiener's filter.
    """
    columns, causes, noise = 20, 4, float(pick(rng, 0.3, 1.0))
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 50, 150, 600))
    mixing = normal(rng, causes, columns) / math.sqrt(causes)
    clean = normal(rng, rows + val + HELD_OUT, causes) @ mixing
    noisy = clean + noise * normal(rng, len(clean), columns)
    train, validation, held = split(noisy, clean, rows, val)
    loss = nn.MSELoss()
    of_clean = mixing.T @ mixing
    filtered = held[0] @ torch.linalg.solve(of_clean + noise**2 * torch.eye(columns), of_clean)
    constant = float(held[1].square().mean())
    narrow = int(pick(rng, 1, 4, 16))
    model = nn.Sequential(mlp(columns, narrow, 32), nn.ReLU(), mlp(narrow, columns, 32))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs, bayes = int(rng.integers(30, 100)), float(loss(filtered, held[1]))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


NUMBERS = (
    Family("waves", waves),
    Family("wide regression", wide_regression),
    Family("interactions", interactions),
    Family("heavy tails", heavy_tails),
    Family("steps of one column", steps_of_one_column),
    Family("uneven noise", uneven_noise),
    Family("several outputs", several_outputs),
    Family("ratings", ratings),
    Family("distances", distances),
    Family("denoising", denoising),
)
