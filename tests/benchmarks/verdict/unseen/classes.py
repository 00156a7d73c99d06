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
    drawn_classes,
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


def checkerboard(rng: np.random.Generator) -> Problem:
    """Squares of two colours, for models from a line to a deep network."""
    steepness = float(rng.uniform(1, 6))

    def probabilities_of(inputs: Tensor) -> Tensor:
        score = torch.sin(2 * inputs[:, 0]) * torch.sin(2 * inputs[:, 1])
        return two_classes(steepness * score)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=2,
        rows=int(pick(rng, 150, 500, 1500)),
        model=mlp(2, 2, int(pick(rng, 6, 48, 128)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.003, 0.01)},
    )


def many_clouds(rng: np.random.Generator) -> Problem:
    """Six clouds in twenty columns, with and without weight decay."""
    columns, classes = 20, 6
    centres = normal(rng, classes, columns) * float(rng.uniform(0.3, 0.8))

    def probabilities_of(inputs: Tensor) -> Tensor:
        return functional.softmax(2 * inputs @ centres.T, 1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 120, 400, 1200)),
        model=mlp(columns, classes, int(pick(rng, 16, 96)), int(rng.integers(0, 2))),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.weight_decay": pick(rng, 0.0, 0.003, 0.03)},
    )


def ordered_classes(rng: np.random.Generator) -> Problem:
    """Five classes in a row, cut from a score with noise."""
    columns = int(pick(rng, 4, 12))
    weight = normal(rng, columns, 1) / math.sqrt(columns)
    cuts = torch.tensor([-1.2, -0.4, 0.4, 1.2])
    steepness = float(pick(rng, 1.5, 5.0))

    def probabilities_of(inputs: Tensor) -> Tensor:
        below = torch.sigmoid(steepness * (cuts - torch.sin(inputs) @ weight * 1.5))
        edges = torch.cat([torch.zeros(len(below), 1), below, torch.ones(len(below), 1)], 1)
        return edges.diff(dim=1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 100, 300, 1000)),
        model=mlp(columns, 5, int(pick(rng, 8, 64)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def smoothed_labels(rng: np.random.Generator) -> Problem:
    """Cross-entropy with label smoothing, whose lowest loss is far above zero."""
    columns, classes = 6, 3
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 100, 400, 1200))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    with torch.no_grad():
        probabilities = taught(rng, columns, float(rng.uniform(0, 0.2)), 6.0)(inputs)
    train, validation, held, _, _ = drawn_classes(rng, probabilities, inputs, rows, val)
    share = float(pick(rng, 0.05, 0.2))
    loss = nn.CrossEntropyLoss(label_smoothing=share)
    prior = torch.bincount(train[1], minlength=classes).float().clamp_min(0.5)
    constant = float(loss(_smoothed(prior / prior.sum(), share).expand(len(held[1]), -1), held[1]))
    bayes = float(loss(_smoothed(probabilities[rows + val :], share), held[1]))
    model = mlp(columns, classes, int(pick(rng, 8, 64, 256)), int(rng.integers(1, 3)))
    settings, epochs = settings_with(rng), int(rng.integers(30, 90))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def _smoothed(probabilities: Tensor, share: float) -> Tensor:
    """The logits with the lowest smoothed loss."""
    return ((1 - share) * probabilities + share / probabilities.shape[-1]).log()


def yes_or_no(rng: np.random.Generator) -> Problem:
    """One logit and binary cross-entropy, models from a line to far too large."""
    columns = 8
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 80, 300, 1200))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    score = float(pick(rng, 1.0, 4.0)) * (inputs[:, :1] + inputs[:, 1:2] * inputs[:, 2:3])
    draws = torch.from_numpy(rng.random((len(inputs), 1)).astype(np.float32))
    train, validation, held = split(inputs, (draws < score.sigmoid()).float(), rows, val)
    loss = nn.BCEWithLogitsLoss()
    constant = float(loss(train[1].mean().logit().expand_as(held[1]), held[1]))
    bayes = float(loss(score[rows + val :], held[1]))
    model = mlp(columns, 1, int(pick(rng, 16, 128)), int(rng.integers(0, 3)))
    settings, epochs = settings_with(rng), int(rng.integers(30, 90))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def more_columns_than_rows(rng: np.random.Generator) -> Problem:
    """Two classes that few of two hundred columns tell, by a line or a network, with decay."""
    columns = 200
    weight = torch.zeros(columns)
    weight[:8] = float(pick(rng, 0.6, 1.5)) * normal(rng, 8, 1)[:, 0].sign()

    def probabilities_of(inputs: Tensor) -> Tensor:
        return two_classes(inputs @ weight)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 100, 400, 1200)),
        model=mlp(columns, 2, int(pick(rng, 8, 32)), int(rng.integers(0, 2))),
        epochs=int(rng.integers(20, 70)),
        settings={
            "optim.name": pick(rng, "adam", "adamw"),
            "optim.weight_decay": pick(rng, 0.0, 0.02, 0.2),
            "optim.lr": pick(rng, 0.0005, 0.003),
        },
    )


def unequal_classes(rng: np.random.Generator) -> Problem:
    """Four classes, each a third as frequent as the one before."""
    columns = 5
    weight = normal(rng, columns, 4) * float(rng.uniform(0.5, 2.0))
    prior = torch.tensor([0.0, -1.1, -2.2, -3.3])

    def probabilities_of(inputs: Tensor) -> Tensor:
        return functional.softmax(prior + torch.cos(inputs) @ weight + inputs @ weight / 2, 1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 120, 400, 1200)),
        model=mlp(columns, 4, int(pick(rng, 8, 64)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.weight_decay": pick(rng, 0.0, 0.01)},
    )


def decision_trees(rng: np.random.Generator) -> Problem:
    """Classes that a tree of questions about single columns tells, some labels wrong."""
    columns, depth = 6, 4
    asked = torch.from_numpy(rng.integers(columns, size=2**depth))
    cuts = normal(rng, 2**depth, 1)[:, 0] * 0.7
    leaves = torch.from_numpy(rng.dirichlet([0.3] * 3, 2**depth).astype(np.float32))
    noise = float(rng.uniform(0, 0.2))

    def probabilities_of(inputs: Tensor) -> Tensor:
        node, rows = torch.ones(len(inputs), dtype=torch.long), torch.arange(len(inputs))
        for _ in range(depth):
            node = 2 * node + (inputs[rows, asked[node]] > cuts[node])
        return flipped(leaves[node - 2**depth], noise)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 120, 400, 1500)),
        model=mlp(columns, 3, int(pick(rng, 8, 48, 192)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def several_labels(rng: np.random.Generator) -> Problem:
    """Five labels a row, each of which is there or not, by binary cross-entropy."""
    columns, labels = 8, 5
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 80, 300, 1000))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    with torch.no_grad():
        scores = teacher(rng, columns, labels, float(pick(rng, 1.0, 3.0)))(inputs) - 1
    draws = torch.from_numpy(rng.random(scores.shape).astype(np.float32))
    train, validation, held = split(inputs, (draws < scores.sigmoid()).float(), rows, val)
    loss = nn.BCEWithLogitsLoss()
    constant = float(loss(train[1].mean(0).logit(1e-3).expand_as(held[1]), held[1]))
    bayes = float(loss(scores[rows + val :], held[1]))
    model = mlp(columns, labels, int(pick(rng, 8, 64, 192)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs = int(rng.integers(30, 90))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def margins(rng: np.random.Generator) -> Problem:
    """Two classes by a hinge loss, which asks for the side and not for the probability.

    The lowest expected loss of a row is the smaller of its probabilities, by a margin of one on
    the likelier side (Bartlett, Jordan and McAuliffe 2006).
    """
    columns = 6
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 100, 300, 1000))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    score = float(pick(rng, 1.5, 4.0)) * (inputs[:, 0] * inputs[:, 1] + torch.sin(2 * inputs[:, 2]))
    train, validation, held, _, _ = drawn_classes(rng, two_classes(score), inputs, rows, val)
    loss = nn.MultiMarginLoss()
    constant = min(float(held[1].float().mean()), 1 - float(held[1].float().mean()))
    side = score[rows + val :].sign() / 2
    bayes = float(loss(torch.stack([-side, side], 1), held[1]))
    model = mlp(columns, 2, int(pick(rng, 8, 64)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs = int(rng.integers(30, 90))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


class _BagOfTokens(nn.Module):
    """Classes from the mean of what tokens stand for."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(tokens, width)
        self.out = mlp(width, 2, 32, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        result: Tensor = self.out(self.bag(inputs))
        return result


def tokens(rng: np.random.Generator) -> Problem:
    """Short texts of random tokens, some of which speak for a class."""
    vocabulary = int(pick(rng, 30, 200))
    speaks_for = normal(rng, vocabulary, 1)[:, 0] * float(pick(rng, 0.5, 1.5))

    def probabilities_of(inputs: Tensor) -> Tensor:
        return two_classes(speaks_for[inputs].sum(1))

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        return torch.from_numpy(rng.integers(vocabulary, size=(rows, columns)))

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=10,
        rows=int(pick(rng, 150, 500, 1500)),
        model=_BagOfTokens(vocabulary, int(pick(rng, 4, 16))),
        epochs=int(rng.integers(30, 80)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
        inputs_of=inputs_of,
    )


CLASSES = (
    Family("sparse truth", sparse_truth),
    Family("checkerboard", checkerboard),
    Family("many clouds", many_clouds),
    Family("ordered classes", ordered_classes),
    Family("smoothed labels", smoothed_labels),
    Family("yes or no", yes_or_no),
    Family("more columns than rows", more_columns_than_rows),
    Family("unequal classes", unequal_classes),
    Family("decision trees", decision_trees),
    Family("several labels", several_labels),
    Family("margins", margins),
    Family("tokens", tokens),
)
