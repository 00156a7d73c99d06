"""Problems of classes."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..problem import (
    HELD_OUT,
    Family,
    Problem,
    constant_of_classes,
    flipped,
    mlp,
    normal,
    of_classes,
    pick,
    settings_with,
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


def spirals(rng: np.random.Generator) -> Problem:
    """Two arms around each other, for networks that are too small, large enough, far too large."""
    noise = float(rng.uniform(0, 0.3))

    def probabilities_of(inputs: Tensor) -> Tensor:
        angle = torch.atan2(inputs[:, 0], inputs[:, 1])
        return flipped(two_classes(5 * torch.sin(angle + 2.5 * inputs.norm(dim=1))), noise)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=2,
        rows=int(pick(rng, 100, 400, 1500)),
        model=mlp(2, 2, int(pick(rng, 2, 16, 128)), int(rng.integers(0, 4))),
        epochs=int(rng.integers(30, 100)),
    )


def rare_class(rng: np.random.Generator) -> Problem:
    """One row in fifteen or so is of the class that matters."""
    steepness = float(rng.uniform(1, 4))

    def probabilities_of(inputs: Tensor) -> Tensor:
        return two_classes(steepness * (inputs[:, 0] + inputs[:, 1] ** 2 - 3.2))

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=6,
        rows=int(pick(rng, 200, 600, 2000)),
        model=mlp(6, 2, int(pick(rng, 8, 64)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


CLASSES = (
    Family("taught classes", taught_classes),
    Family("linear truth", linear_truth),
    Family("not linear", not_linear),
    Family("random labels", random_labels),
    Family("mixtures", mixtures),
    Family("spirals", spirals),
    Family("rare class", rare_class),
)
