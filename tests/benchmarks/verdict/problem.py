"""Problems whose truth is known by construction, and what the families that draw them share."""

from __future__ import annotations

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
# Rows and columns of random numbers.
Draw = Callable[[np.random.Generator, int, int], Tensor]
HELD_OUT = 8_000


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
    draw: Callable[[np.random.Generator], Problem]


def mlp(inputs: int, outputs: int, width: int, depth: int = 1, dropout: float = 0.0) -> nn.Module:
    """A network of `depth` hidden layers, a linear model for none."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        layers += [nn.Dropout(dropout)] if dropout else []
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def teacher(rng: np.random.Generator, inputs: int, outputs: int, sharpness: float) -> nn.Module:
    """A small network of random weights, which gets steeper with `sharpness`."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    first, last = nn.Linear(inputs, 8), nn.Linear(8, outputs)
    model = nn.Sequential(first, nn.ReLU(), last)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
        for layer in (first, last):
            layer.weight.mul_(sharpness / math.sqrt(layer.weight.shape[1]))
    return model


def split(inputs: Tensor, targets: Tensor, train: int, val: int) -> tuple[Rows, Rows, Rows]:
    """Rows to train on, to validate on, and all others."""
    ends = (0, train, train + val, len(inputs))
    parts = [(inputs[a:b], targets[a:b]) for a, b in pairwise(ends)]
    return parts[0], parts[1], parts[2]


def drawn_classes(
    rng: np.random.Generator, probabilities: Tensor, inputs: Tensor, train: int, val: int
) -> tuple[Rows, Rows, Rows, float, float]:
    """Labels drawn from their probabilities, split; the constant's and Bayes' loss held out."""
    draws = torch.from_numpy(rng.random((len(inputs), 1)).astype(np.float32))
    targets = (probabilities.cumsum(1) < draws).sum(1).clamp(max=probabilities.shape[1] - 1)
    parts = split(inputs, targets, train, val)
    held = slice(train + val, None)
    log = probabilities[held].clamp_min(1e-12).log()
    bayes = float(functional.nll_loss(log, targets[held]))
    return (*parts, constant_of_classes(parts[0][1], parts[2][1]), bayes)


def constant_of_classes(train: Tensor, held_out: Tensor) -> float:
    """The loss of the shares that classes have in training."""
    classes = int(max(train.max(), held_out.max())) + 1
    prior = torch.bincount(train, minlength=classes).float().clamp_min(0.5)
    return float(
        functional.nll_loss((prior / prior.sum()).log().expand(len(held_out), -1), held_out)
    )


def normal(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    """Standard normal numbers of shape (rows, columns)."""
    return torch.from_numpy(rng.standard_normal((rows, columns)).astype(np.float32))


def shuffled_digits(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Real images of digits, of shape (rows, 64) from 0 to 1, and which they are, in any order."""
    images, digits = datasets.load_digits(return_X_y=True)
    order = rng.permutation(len(images))
    pixels = torch.from_numpy(images[order].astype(np.float32) / 16)
    return pixels, torch.from_numpy(digits[order].astype(np.int64))


def pick(rng: np.random.Generator, *choices: T) -> T:
    """One of some choices, each as likely."""
    return choices[int(rng.integers(len(choices)))]


def settings_with(rng: np.random.Generator, given: Settings | None = None) -> Settings:
    """What a run is set to, if nothing else is given."""
    return {"optim.lr": 0.01, "train.seed": int(rng.integers(1000)), **(given or {})}


def of_classes(
    rng: np.random.Generator,
    *,
    probabilities_of: Callable[[Tensor], Tensor],
    columns: int,
    rows: int,
    model: nn.Module,
    epochs: int,
    settings: Settings | None = None,
    inputs_of: Draw = normal,
) -> Problem:
    """Labels drawn from probabilities of inputs, learnt by cross-entropy."""
    val = int(pick(rng, 150, 300, 600))
    inputs = inputs_of(rng, rows + val + HELD_OUT, columns)
    with torch.no_grad():
        probabilities = probabilities_of(inputs)
    *parts, constant, bayes = drawn_classes(rng, probabilities, inputs, rows, val)
    train, validation, held = parts
    return Problem(
        model, nn.CrossEntropyLoss(), train, validation, held,
        settings_with(rng, settings), epochs, constant, bayes,
    )  # fmt: skip


def two_classes(score: Tensor) -> Tensor:
    """The probabilities of two classes, of shape (rows, 2), from the logit of the second one."""
    positive = torch.sigmoid(score)[:, None]
    return torch.cat([1 - positive, positive], 1)


def flipped(probabilities: Tensor, noise: float) -> Tensor:
    """Probabilities when a share of the labels is drawn at random."""
    return (1 - noise) * probabilities + noise / probabilities.shape[1]


def taught(
    rng: np.random.Generator, columns: int, noise: float, sharpness: float = 4.0
) -> Callable[[Tensor], Tensor]:
    """The probabilities of three classes by a random network."""
    network = teacher(rng, columns, 3, sharpness)
    return lambda inputs: flipped(functional.softmax(network(inputs), 1), noise)


def regression(
    rng: np.random.Generator,
    function: Callable[[Tensor], Tensor],
    *,
    columns: int,
    noise: float,
    model: nn.Module,
    rows: int,
    epochs: int,
    settings: Settings | None = None,
    loss: nn.Module | None = None,
    inputs_of: Draw = normal,
    noise_of: Draw = normal,
) -> Problem:
    """A function of inputs and noise, `noise` times as large as the function's own spread.

    The noise lies as often above as below, so the function itself has the lowest loss there is,
    squared or of another kind that grows with the distance alone.
    """
    val = int(pick(rng, 150, 300, 600))
    inputs = inputs_of(rng, rows + val + HELD_OUT, columns)
    clean = function(inputs)
    targets = clean + noise * clean.std() * noise_of(rng, len(inputs), 1)
    mean, std = targets[:rows].mean(), targets[:rows].std()
    standard = (targets - mean) / std
    train, validation, held = split(inputs, standard, rows, val)
    loss = loss or nn.MSELoss()
    bayes = float(loss(((clean - mean) / std)[rows + val :], held[1]))
    constant = float(loss(torch.zeros_like(held[1]), held[1]))
    return Problem(
        model, loss, train, validation, held, settings_with(rng, settings), epochs, constant, bayes
    )
