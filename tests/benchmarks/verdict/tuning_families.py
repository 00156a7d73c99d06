"""Families of problems that the verdict's weights and thresholds were chosen on.

A family draws problems of one kind: what is learnt, how many rows, how noisy, how large the model,
how fast. Their errors were looked at, one by one.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .problem import (
    HELD_OUT,
    Family,
    Problem,
    constant_of_classes,
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


def taught_classes(rng: np.random.Generator) -> Problem:
    """A small network's classes, some labels wrong, models from small to far too large."""
    columns = 6
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 6.0),
        columns=columns,
        rows=int(pick(rng, 80, 200, 600, 1500)),
        model=mlp(columns, 3, int(pick(rng, 4, 16, 64, 256)), int(rng.integers(1, 3))),
        epochs=int(rng.integers(30, 90)),
    )


def linear_truth(rng: np.random.Generator) -> Problem:
    """Two classes that a line parts, as many columns as may be, with and without weight decay."""
    columns = int(pick(rng, 5, 30, 60))
    weight = normal(rng, columns, 1) * float(pick(rng, 1.0, 3.0)) / math.sqrt(columns)

    def probabilities_of(inputs: Tensor) -> Tensor:
        return two_classes((2 * inputs @ weight)[:, 0])

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 60, 150, 600)),
        model=mlp(columns, 2, 0, 0),
        epochs=int(rng.integers(40, 150)),
        settings={
            "optim.weight_decay": pick(rng, 0.0, 0.01, 0.1),
            "optim.lr": pick(rng, 0.003, 0.03),
        },
    )


def not_linear(rng: np.random.Generator) -> Problem:
    """Exclusive or and rings: a linear model cannot learn them, a network can."""
    rings = bool(rng.integers(2))

    def probabilities_of(inputs: Tensor) -> Tensor:
        score = (inputs**2).sum(1) - 1.4 if rings else inputs[:, 0] * inputs[:, 1] * 2
        return two_classes(4 * score)

    depth = int(rng.random() < 0.3)
    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=2,
        rows=int(pick(rng, 300, 1000)),
        model=mlp(2, 2, 32, depth),
        epochs=int(rng.integers(40, 100)),
    )


def random_labels(rng: np.random.Generator) -> Problem:
    """Labels that have nothing to do with the inputs: whatever is learnt is too much."""
    return of_classes(
        rng,
        probabilities_of=lambda inputs: torch.full((len(inputs), 3), 1 / 3),
        columns=10,
        rows=int(pick(rng, 60, 150, 300)),
        model=mlp(10, 3, int(pick(rng, 32, 128)), 1),
        epochs=int(rng.integers(30, 80)),
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


def rates_of_classes(rng: np.random.Generator) -> Problem:
    """Plain gradient descent with rates from far too slow to diverging."""
    columns = 6
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, 0.05, 6.0),
        columns=columns,
        rows=800,
        model=mlp(columns, 3, 32, 1),
        epochs=int(rng.integers(30, 60)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": 0.9,
            "optim.lr": pick(rng, 0.0003, 0.001, 0.01, 0.1, 5.0, 30.0),
        },
    )


def mixtures(rng: np.random.Generator) -> Problem:
    """Clouds of points that overlap."""
    columns, classes = 4, 4
    centres = normal(rng, classes, columns) * float(rng.uniform(0.8, 1.6))
    val = int(pick(rng, 150, 300, 600))
    rows = int(pick(rng, 100, 300, 1000))
    count = rows + val + HELD_OUT
    targets = torch.from_numpy(rng.integers(classes, size=count))
    inputs = centres[targets] + normal(rng, count, columns)
    log = functional.log_softmax(-0.5 * torch.cdist(inputs, centres) ** 2, 1)
    train, validation, held = split(inputs, targets, rows, val)
    bayes = float(functional.nll_loss(log[rows + val :], held[1]))
    model = mlp(columns, classes, int(pick(rng, 8, 64, 256)), int(rng.integers(1, 3)))
    constant = constant_of_classes(train[1], held[1])
    epochs = int(rng.integers(30, 90))
    settings, loss = settings_with(rng), nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


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


def rates_of_regression(rng: np.random.Generator) -> Problem:
    """Plain gradient descent on a smooth function, too slow to diverging."""
    return regression(
        rng,
        lambda inputs: torch.tanh(inputs[:, :1] + inputs[:, 1:2]) * inputs[:, 2:3],
        columns=5,
        noise=0.3,
        model=mlp(5, 1, 32, 1),
        rows=600,
        epochs=int(rng.integers(30, 60)),
        settings={"optim.name": "sgd", "optim.lr": pick(rng, 0.0005, 0.003, 0.03, 0.1, 3.0, 10.0)},
    )


def _digits(target: str) -> Callable[[np.random.Generator], Problem]:
    """Real images of digits: which one it is, whether it is odd, how dark its last two rows are."""

    def draw(rng: np.random.Generator) -> Problem:
        columns, numbers = shuffled_digits(rng)
        rows, val = int(pick(rng, 80, 150, 350)), int(pick(rng, 150, 300))
        if target == "darkness":
            dark = columns[:, 48:].mean(1, keepdim=True)
            targets = (dark - dark[:rows].mean()) / dark[:rows].std()
            columns = columns[:, :48]
        else:
            targets = numbers % 2 if target == "parity" else numbers
        train, validation, held = split(columns, targets, rows, val)
        outputs = {"darkness": 1, "parity": 2}.get(target, 10)
        width = int(pick(rng, 0, 16, 128))
        model = mlp(columns.shape[1], outputs, width, int(width > 0))
        of_numbers = target == "darkness"
        constant = (
            float(held[1].square().mean()) if of_numbers else constant_of_classes(train[1], held[1])
        )
        loss: nn.Module = nn.MSELoss() if of_numbers else nn.CrossEntropyLoss()
        settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.01)})
        epochs = int(rng.integers(30, 120))
        return Problem(model, loss, train, validation, held, settings, epochs, constant, None)

    return draw


TUNING_FAMILIES = (
    Family("taught classes", taught_classes),
    Family("linear truth", linear_truth),
    Family("not linear", not_linear),
    Family("random labels", random_labels),
    Family("dropout", dropout),
    Family("rates, classes", rates_of_classes),
    Family("mixtures", mixtures),
    Family("waves", waves),
    Family("wide regression", wide_regression),
    Family("interactions", interactions),
    Family("rates, regression", rates_of_regression),
    Family("digits", _digits("digit")),
    Family("digits, odd or even", _digits("parity")),
    Family("digits, darkness", _digits("darkness")),
)
