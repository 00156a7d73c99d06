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
    teacher,
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


def bands(rng: np.random.Generator) -> Problem:
    """Stripes across a direction that the columns do not have, narrow or wide."""
    columns = int(pick(rng, 2, 5))
    direction = normal(rng, columns, 1)[:, 0]
    direction, steepness = direction / direction.norm(), float(rng.uniform(1.5, 6))
    frequency = float(pick(rng, 1.0, 2.5, 5.0))

    def probabilities_of(inputs: Tensor) -> Tensor:
        return two_classes(steepness * torch.sin(frequency * inputs @ direction))

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 100, 400, 1500)),
        model=mlp(columns, 2, int(pick(rng, 4, 32, 128)), int(rng.integers(1, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.003, 0.01)},
    )


def parity_of_signs(rng: np.random.Generator) -> Problem:
    """Whether an even number of two or three columns is positive, which no part of them tells."""
    count, noise = int(pick(rng, 2, 3)), float(rng.uniform(0, 0.25))

    def probabilities_of(inputs: Tensor) -> Tensor:
        return flipped(two_classes(20 * (3 * inputs[:, :count]).tanh().prod(1)), noise)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=6,
        rows=int(pick(rng, 150, 500, 1500)),
        model=mlp(6, 2, int(pick(rng, 8, 48, 192)), int(rng.integers(1, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def twenty_classes(rng: np.random.Generator) -> Problem:
    """Twenty classes, more or less alike, of which some have hardly a row in training."""
    columns, classes = 10, 20
    weight = normal(rng, columns, classes) * float(pick(rng, 0.5, 1.0, 2.0))

    def probabilities_of(inputs: Tensor) -> Tensor:
        return functional.softmax(inputs @ weight + 2 * (inputs.abs() @ weight.roll(1, 0)), 1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 150, 500, 1500)),
        model=mlp(columns, classes, int(pick(rng, 6, 32, 128)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def _signs(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    return torch.from_numpy((2 * rng.integers(2, size=(rows, columns)) - 1).astype(np.float32))


def rules(rng: np.random.Generator) -> Problem:
    """Columns of yes and no, and classes by whether one of some rules about three of them holds."""
    columns = 16
    chosen = torch.from_numpy(rng.permuted(np.tile(np.arange(columns), (4, 1)), axis=1)[:, :3])
    wanted, noise = _signs(rng, 4, 3), float(rng.uniform(0, 0.3))

    def probabilities_of(inputs: Tensor) -> Tensor:
        holds = (inputs[:, chosen] == wanted).all(2).any(1)
        return flipped(two_classes(40.0 * holds - 20), noise)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 100, 400, 1500)),
        model=mlp(columns, 2, int(pick(rng, 8, 64)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 80)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
        inputs_of=_signs,
    )


def shells(rng: np.random.Generator) -> Problem:
    """Three classes by how far from the middle a row lies, in few or many columns."""
    columns = int(pick(rng, 3, 8, 16))
    steepness = float(pick(rng, 3.0, 8.0))

    def probabilities_of(inputs: Tensor) -> Tensor:
        radius = inputs.norm(dim=1, keepdim=True) / math.sqrt(columns)
        return functional.softmax(-steepness * (radius - torch.tensor([0.7, 0.95, 1.2])).abs(), 1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 150, 500, 1500)),
        model=mlp(columns, 3, int(pick(rng, 8, 64)), int(rng.integers(0, 3)), 0.1),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.003, 0.01)},
    )


def one_sided_errors(rng: np.random.Generator) -> Problem:
    """Two classes of which one is often taken for the other, the other never for it."""
    columns, missed = 10, float(pick(rng, 0.1, 0.4))
    weight = normal(rng, columns, 1)[:, 0]

    def probabilities_of(inputs: Tensor) -> Tensor:
        positive = (1 - missed) * torch.sigmoid(2 * inputs @ weight + inputs[:, 0] ** 2)
        return torch.stack([1 - positive, positive], 1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 80, 250, 1000)),
        model=mlp(columns, 2, int(pick(rng, 16, 128)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
    )


def soft_targets(rng: np.random.Generator) -> Problem:
    """Probabilities as targets, which another network gave from more than the columns."""
    columns, classes = 8, 4
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 80, 300, 1000))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    with torch.no_grad():
        logits = teacher(rng, columns, classes, 3.0)(inputs)
    unseen = float(pick(rng, 0.3, 1.0, 3.0)) * normal(rng, len(inputs), classes)
    train, validation, held = split(inputs, functional.softmax(logits + unseen, 1), rows, val)
    loss = nn.CrossEntropyLoss()
    constant = float(loss(train[1].mean(0).log().expand_as(held[1]), held[1]))
    bayes = float(loss(_expected_softmax(rng, logits[rows + val :], unseen.std()).log(), held[1]))
    model = mlp(columns, classes, int(pick(rng, 8, 64, 256)), int(rng.integers(1, 3)))
    settings, epochs = settings_with(rng), int(rng.integers(30, 90))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def _expected_softmax(rng: np.random.Generator, logits: Tensor, std: Tensor) -> Tensor:
    """The mean probabilities when normal noise is added to logits."""
    noise = std * normal(rng, 500, logits.shape[1])
    rows = [functional.softmax(row + noise, 1).mean(0) for row in logits]
    return torch.stack(rows)


CLASSES = (
    Family("taught classes", taught_classes),
    Family("linear truth", linear_truth),
    Family("not linear", not_linear),
    Family("random labels", random_labels),
    Family("mixtures", mixtures),
    Family("spirals", spirals),
    Family("rare class", rare_class),
    Family("bands", bands),
    Family("parity of signs", parity_of_signs),
    Family("twenty classes", twenty_classes),
    Family("rules", rules),
    Family("shells", shells),
    Family("one sided errors", one_sided_errors),
    Family("soft targets", soft_targets),
)
