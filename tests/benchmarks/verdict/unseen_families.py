"""Families of problems that the verdict was never fitted to, and whose runs nobody looked at."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .problem import (
    HELD_OUT,
    Family,
    Problem,
    mlp,
    normal,
    of_classes,
    pick,
    regression,
    settings_with,
    shuffled_digits,
    split,
    taught,
    two_classes,
)


def sparse_truth(rng: np.random.Generator) -> Problem:
    """Three of forty columns matter; networks with and without weight decay."""

    def probabilities_of(inputs: Tensor) -> Tensor:
        score = 2 * inputs[:, 0] - inputs[:, 1] + inputs[:, 2].abs() - 0.8
        return two_classes(2 * score)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=40,
        rows=int(pick(rng, 80, 300, 1200)),
        model=mlp(40, 2, int(pick(rng, 8, 64)), 1),
        epochs=int(rng.integers(30, 120)),
        settings={
            "optim.name": "adamw",
            "optim.weight_decay": pick(rng, 0.0, 0.3, 3.0),
            "optim.lr": pick(rng, 0.001, 0.01),
        },
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


def normalised_layers(rng: np.random.Generator) -> Problem:
    """Networks whose layers are normalised by batch, with wrong labels."""
    columns, width = 8, int(pick(rng, 16, 64))
    layers = (nn.Linear(columns, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 3))
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.4)), 5.0),
        columns=columns,
        rows=int(pick(rng, 128, 512, 1536)),
        model=nn.Sequential(*layers),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
    )


def images_from_themselves(rng: np.random.Generator) -> Problem:
    """Real images of digits through a bottleneck of few numbers."""
    pixels, _ = shuffled_digits(rng)
    rows, val = int(pick(rng, 60, 150, 400)), int(pick(rng, 150, 300))
    train, validation, held = split(pixels, pixels, rows, val)
    narrow = int(pick(rng, 1, 8, 32))
    model = nn.Sequential(mlp(64, narrow, 64), nn.ReLU(), mlp(narrow, 64, 64))
    loss = nn.MSELoss()
    constant = float(loss(train[1].mean(0).expand_as(held[1]), held[1]))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.0003, 0.001, 0.005)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


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


class _RandomFeatures(nn.Module):
    """A line over fixed random features."""

    weight: Tensor
    bias: Tensor

    def __init__(self, columns: int, features: int, generator: np.random.Generator) -> None:
        super().__init__()
        self.register_buffer("weight", normal(generator, columns, features))
        self.register_buffer("bias", normal(generator, 1, features))
        self.out = nn.Linear(features, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        features = torch.cos(inputs @ self.weight + self.bias) / math.sqrt(len(self.bias[0]) / 10)
        result: Tensor = self.out(features)
        return result


def random_features(rng: np.random.Generator) -> Problem:
    """Lines over fewer or more random features than there are rows."""
    columns, features = 4, int(pick(rng, 10, 100, 600))
    return regression(
        rng,
        lambda inputs: torch.sin(inputs.sum(1, keepdim=True)) + 0.3 * inputs[:, :1] ** 2,
        columns=columns,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=_RandomFeatures(columns, features, rng),
        rows=int(pick(rng, 50, 150, 500)),
        epochs=int(rng.integers(40, 150)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
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


UNSEEN_FAMILIES = (
    Family("sparse truth", sparse_truth),
    Family("counts", counts),
    Family("normalised layers", normalised_layers),
    Family("images from themselves", images_from_themselves),
    Family("categories", categories),
    Family("random features", random_features),
    Family("friedman", friedman),
)
