"""Problems whose truth is known by construction: more than enough held-out rows, often Bayes' loss.

A family draws problems of one kind: what is learnt, how many rows, how noisy, how large the model,
how fast. `is_for_tuning` tells the half that thresholds may be chosen on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional

Rows = tuple[Tensor, Tensor]
Settings = dict[str, object]
T = TypeVar("T")
_HELD_OUT = 8_000


@dataclass(frozen=True)
class Problem:
    """What a run trains, and the rows that it never sees.

    `bayes` is the lowest loss that any model can have on the held-out rows, None where nobody
    knows; `constant` that of the best constant predictor.
    """

    model: nn.Module
    loss: nn.Module
    train: Rows
    val: Rows
    held_out: Rows
    settings: Settings
    epochs: int
    constant: float
    bayes: float | None


@dataclass(frozen=True)
class Family:
    """A kind of problems; `draw` makes one from a random generator."""

    name: str
    is_for_tuning: bool
    draw: Callable[[np.random.Generator], Problem]


def mlp(inputs: int, outputs: int, width: int, depth: int = 1, dropout: float = 0.0) -> nn.Module:
    """A network of `depth` hidden layers, a linear model for none."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        layers += [nn.Dropout(dropout)] if dropout else []
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def _teacher(rng: np.random.Generator, inputs: int, outputs: int, sharpness: float) -> nn.Module:
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    first, last = nn.Linear(inputs, 8), nn.Linear(8, outputs)
    model = nn.Sequential(first, nn.ReLU(), last)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
        for layer in (first, last):
            layer.weight.mul_(sharpness / math.sqrt(layer.weight.shape[1]))
    return model


def _split(inputs: Tensor, targets: Tensor, train: int, val: int) -> tuple[Rows, Rows, Rows]:
    ends = (0, train, train + val, len(inputs))
    parts = [(inputs[a:b], targets[a:b]) for a, b in pairwise(ends)]
    return parts[0], parts[1], parts[2]


def _classes(
    rng: np.random.Generator, probabilities: Tensor, inputs: Tensor, train: int, val: int
) -> tuple[Rows, Rows, Rows, float, float]:
    """Labels drawn from their probabilities, split; the constant's and Bayes' loss held out."""
    draws = torch.from_numpy(rng.random((len(inputs), 1)).astype(np.float32))
    targets = (probabilities.cumsum(1) < draws).sum(1).clamp(max=probabilities.shape[1] - 1)
    parts = _split(inputs, targets, train, val)
    held = slice(train + val, None)
    log = probabilities[held].clamp_min(1e-12).log()
    bayes = float(functional.nll_loss(log, targets[held]))
    return (*parts, _constant_of_classes(parts[0][1], parts[2][1]), bayes)


def _constant_of_classes(train: Tensor, held_out: Tensor) -> float:
    classes = int(max(train.max(), held_out.max())) + 1
    prior = torch.bincount(train, minlength=classes).float().clamp_min(0.5)
    return float(
        functional.nll_loss((prior / prior.sum()).log().expand(len(held_out), -1), held_out)
    )


def _normal(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    return torch.from_numpy(rng.standard_normal((rows, columns)).astype(np.float32))


def _pick(rng: np.random.Generator, *choices: T) -> T:
    return choices[int(rng.integers(len(choices)))]


def _settings(rng: np.random.Generator, given: Settings | None = None) -> Settings:
    return {"optim.lr": 0.01, "train.seed": int(rng.integers(1000)), **(given or {})}


def _of_classes(
    rng: np.random.Generator,
    *,
    probabilities_of: Callable[[Tensor], Tensor],
    columns: int,
    rows: int,
    model: nn.Module,
    epochs: int,
    val: int | None = None,
    settings: Settings | None = None,
) -> Problem:
    val = val or int(_pick(rng, 150, 300, 600))
    inputs = _normal(rng, rows + val + _HELD_OUT, columns)
    with torch.no_grad():
        probabilities = probabilities_of(inputs)
    *parts, constant, bayes = _classes(rng, probabilities, inputs, rows, val)
    train, validation, held = parts
    return Problem(
        model, nn.CrossEntropyLoss(), train, validation, held,
        _settings(rng, settings), epochs, constant, bayes,
    )  # fmt: skip


def _flipped(probabilities: Tensor, noise: float) -> Tensor:
    """Probabilities when a share of the labels is drawn at random."""
    return (1 - noise) * probabilities + noise / probabilities.shape[1]


def _taught(
    rng: np.random.Generator, columns: int, noise: float, sharpness: float = 4.0
) -> Callable[[Tensor], Tensor]:
    teacher = _teacher(rng, columns, 3, sharpness)
    return lambda inputs: _flipped(functional.softmax(teacher(inputs), 1), noise)


def taught_classes(rng: np.random.Generator) -> Problem:
    """A small network's classes, some labels wrong, models from small to far too large."""
    columns = 6
    return _of_classes(
        rng,
        probabilities_of=_taught(rng, columns, float(rng.uniform(0, 0.3)), 6.0),
        columns=columns,
        rows=int(_pick(rng, 80, 200, 600, 1500)),
        model=mlp(columns, 3, int(_pick(rng, 4, 16, 64, 256)), int(rng.integers(1, 3))),
        epochs=int(rng.integers(30, 90)),
    )


def linear_truth(rng: np.random.Generator) -> Problem:
    """Two classes that a line parts, as many columns as may be, with and without weight decay."""
    columns = int(_pick(rng, 5, 30, 60))
    weight = _normal(rng, columns, 1) * float(_pick(rng, 1.0, 3.0)) / math.sqrt(columns)

    def probabilities_of(inputs: Tensor) -> Tensor:
        positive = torch.sigmoid(2 * inputs @ weight)
        return torch.cat([1 - positive, positive], 1)

    return _of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(_pick(rng, 60, 150, 600)),
        model=mlp(columns, 2, 0, 0),
        epochs=int(rng.integers(40, 150)),
        settings={
            "optim.weight_decay": _pick(rng, 0.0, 0.01, 0.1),
            "optim.lr": _pick(rng, 0.003, 0.03),
        },
    )


def not_linear(rng: np.random.Generator) -> Problem:
    """Exclusive or and rings: a linear model cannot learn them, a network can."""
    rings = bool(rng.integers(2))

    def probabilities_of(inputs: Tensor) -> Tensor:
        score = (inputs**2).sum(1) - 1.4 if rings else inputs[:, 0] * inputs[:, 1] * 2
        positive = torch.sigmoid(4 * score)[:, None]
        return torch.cat([1 - positive, positive], 1)

    depth = int(rng.random() < 0.3)
    return _of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=2,
        rows=int(_pick(rng, 300, 1000)),
        model=mlp(2, 2, 32, depth),
        epochs=int(rng.integers(40, 100)),
    )


def random_labels(rng: np.random.Generator) -> Problem:
    """Labels that have nothing to do with the inputs: whatever is learnt is too much."""
    return _of_classes(
        rng,
        probabilities_of=lambda inputs: torch.full((len(inputs), 3), 1 / 3),
        columns=10,
        rows=int(_pick(rng, 60, 150, 300)),
        model=mlp(10, 3, int(_pick(rng, 32, 128)), 1),
        epochs=int(rng.integers(30, 80)),
    )


def dropout(rng: np.random.Generator) -> Problem:
    """Networks with dropout, whose train loss while learning lies above the validation loss."""
    columns = 8
    return _of_classes(
        rng,
        probabilities_of=_taught(rng, columns, float(rng.uniform(0, 0.2)), 6.0),
        columns=columns,
        rows=int(_pick(rng, 200, 600, 1500)),
        model=mlp(columns, 3, 64, 1, float(_pick(rng, 0.2, 0.5))),
        epochs=int(rng.integers(30, 100)),
    )


def rates_of_classes(rng: np.random.Generator) -> Problem:
    """Plain gradient descent with rates from far too slow to diverging."""
    columns = 6
    return _of_classes(
        rng,
        probabilities_of=_taught(rng, columns, 0.05, 6.0),
        columns=columns,
        rows=800,
        model=mlp(columns, 3, 32, 1),
        epochs=int(rng.integers(30, 60)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": 0.9,
            "optim.lr": _pick(rng, 0.0003, 0.001, 0.01, 0.1, 5.0, 30.0),
        },
    )


def mixtures(rng: np.random.Generator) -> Problem:
    """Clouds of points that overlap."""
    columns, classes = 4, 4
    centres = _normal(rng, classes, columns) * float(rng.uniform(0.8, 1.6))
    val = int(_pick(rng, 150, 300, 600))
    rows = int(_pick(rng, 100, 300, 1000))
    count = rows + val + _HELD_OUT
    targets = torch.from_numpy(rng.integers(classes, size=count))
    inputs = centres[targets] + _normal(rng, count, columns)
    log = functional.log_softmax(-0.5 * torch.cdist(inputs, centres) ** 2, 1)
    train, validation, held = _split(inputs, targets, rows, val)
    bayes = float(functional.nll_loss(log[rows + val :], held[1]))
    model = mlp(columns, classes, int(_pick(rng, 8, 64, 256)), int(rng.integers(1, 3)))
    constant = _constant_of_classes(train[1], held[1])
    epochs = int(rng.integers(30, 90))
    loss = nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, _settings(rng), epochs, constant, bayes)


def _regression(
    rng: np.random.Generator,
    function: Callable[[Tensor], Tensor],
    *,
    columns: int,
    noise: float,
    model: nn.Module,
    rows: int,
    epochs: int,
    settings: Settings | None = None,
) -> Problem:
    val = int(_pick(rng, 150, 300, 600))
    inputs = _normal(rng, rows + val + _HELD_OUT, columns)
    clean = function(inputs)
    targets = clean + noise * clean.std() * _normal(rng, len(inputs), 1)
    mean, std = targets[:rows].mean(), targets[:rows].std()
    standard = (targets - mean) / std
    train, validation, held = _split(inputs, standard, rows, val)
    bayes = float(((clean - mean) / std - standard)[rows + val :].square().mean())
    constant = float(held[1].square().mean())
    loss = nn.MSELoss()
    return Problem(
        model, loss, train, validation, held, _settings(rng, settings), epochs, constant, bayes
    )


def waves(rng: np.random.Generator) -> Problem:
    """A sum of sines, noise, models of every size."""
    frequencies = _normal(rng, 3, 1) * 1.5
    return _regression(
        rng,
        lambda inputs: torch.sin(inputs @ frequencies) + 0.5 * inputs[:, :1],
        columns=3,
        noise=float(_pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(3, 1, int(_pick(rng, 4, 32, 256)), int(rng.integers(1, 3))),
        rows=int(_pick(rng, 60, 200, 800)),
        epochs=int(rng.integers(40, 120)),
    )


def wide_regression(rng: np.random.Generator) -> Problem:
    """A line in many columns, fewer or more rows than those, with and without weight decay."""
    columns = int(_pick(rng, 10, 60))
    weight = _normal(rng, columns, 1)
    return _regression(
        rng,
        lambda inputs: inputs @ weight,
        columns=columns,
        noise=float(_pick(rng, 0.3, 1.0)),
        model=mlp(columns, 1, 0, 0),
        rows=int(_pick(rng, 40, 80, 400)),
        epochs=int(rng.integers(60, 200)),
        settings={"optim.weight_decay": _pick(rng, 0.0, 0.1), "optim.lr": _pick(rng, 0.003, 0.01)},
    )


def interactions(rng: np.random.Generator) -> Problem:
    """Products of columns, of which a linear model sees nothing."""
    depth = int(rng.random() < 0.6)
    return _regression(
        rng,
        lambda inputs: inputs[:, :1] * inputs[:, 1:2] + inputs[:, 2:3] * inputs[:, 3:4],
        columns=6,
        noise=float(_pick(rng, 0.1, 0.5)),
        model=mlp(6, 1, 64, depth),
        rows=int(_pick(rng, 150, 500, 1500)),
        epochs=int(rng.integers(40, 100)),
    )


def rates_of_regression(rng: np.random.Generator) -> Problem:
    """Plain gradient descent on a smooth function, too slow to diverging."""
    return _regression(
        rng,
        lambda inputs: torch.tanh(inputs[:, :1] + inputs[:, 1:2]) * inputs[:, 2:3],
        columns=5,
        noise=0.3,
        model=mlp(5, 1, 32, 1),
        rows=600,
        epochs=int(rng.integers(30, 60)),
        settings={"optim.name": "sgd", "optim.lr": _pick(rng, 0.0005, 0.003, 0.03, 0.1, 3.0, 10.0)},
    )


def _digits(target: str) -> Callable[[np.random.Generator], Problem]:
    """Real images of digits: which one it is, whether it is odd, how dark its last two rows are."""
    images, digits = datasets.load_digits(return_X_y=True)

    def draw(rng: np.random.Generator) -> Problem:
        order = rng.permutation(len(images))
        rows, val = int(_pick(rng, 80, 150, 350)), int(_pick(rng, 150, 300))
        columns = torch.from_numpy(images[order].astype(np.float32) / 16)
        numbers = torch.from_numpy(digits[order].astype(np.int64))
        if target == "darkness":
            dark = columns[:, 48:].mean(1, keepdim=True)
            targets = (dark - dark[:rows].mean()) / dark[:rows].std()
            columns = columns[:, :48]
        else:
            targets = numbers % 2 if target == "parity" else numbers
        train, validation, held = _split(columns, targets, rows, val)
        outputs = {"darkness": 1, "parity": 2}.get(target, 10)
        width = int(_pick(rng, 0, 16, 128))
        model = mlp(columns.shape[1], outputs, width, int(width > 0))
        of_numbers = target == "darkness"
        constant = (
            float(held[1].square().mean())
            if of_numbers
            else _constant_of_classes(train[1], held[1])
        )
        loss: nn.Module = nn.MSELoss() if of_numbers else nn.CrossEntropyLoss()
        settings = _settings(rng, {"optim.lr": _pick(rng, 0.001, 0.01)})
        epochs = int(rng.integers(30, 120))
        return Problem(model, loss, train, validation, held, settings, epochs, constant, None)

    return draw


FAMILIES = (
    Family("taught classes", True, taught_classes),
    Family("linear truth", False, linear_truth),
    Family("not linear", True, not_linear),
    Family("random labels", False, random_labels),
    Family("dropout", False, dropout),
    Family("rates, classes", True, rates_of_classes),
    Family("mixtures", False, mixtures),
    Family("waves", False, waves),
    Family("wide regression", True, wide_regression),
    Family("interactions", False, interactions),
    Family("rates, regression", False, rates_of_regression),
    Family("digits", True, _digits("digit")),
    Family("digits, odd or even", False, _digits("parity")),
    Family("digits, darkness", True, _digits("darkness")),
)
