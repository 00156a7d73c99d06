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
)


def _uniform(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    """Numbers between -1 and 1."""
    return torch.from_numpy(rng.uniform(-1, 1, (rows, columns)).astype(np.float32))


class _LogCosh(nn.Module):
    """Squares of small errors, and large ones as they are, with no kink between."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = outputs - targets
        return (errors + nn.functional.softplus(-2 * errors) - math.log(2)).mean()


def log_cosh(rng: np.random.Generator) -> Problem:
    """A loss that the engine knows nothing of, on noise with a few large errors."""

    def noise_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        return torch.from_numpy(rng.laplace(0, 0.7, (rows, columns)).astype(np.float32))

    return regression(
        rng,
        lambda inputs: torch.sin(2 * inputs[:, :1]) + 0.5 * inputs[:, 1:2] * inputs[:, 2:3],
        columns=5,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(5, 1, int(pick(rng, 6, 32, 128)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
        loss=_LogCosh(),
        noise_of=noise_of,
    )


def polynomials(rng: np.random.Generator) -> Problem:
    """Chebyshev's polynomial of degree five over one column, the textbook's picture."""
    return regression(
        rng,
        lambda inputs: 16 * inputs**5 - 20 * inputs**3 + 5 * inputs,
        columns=1,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(1, 1, int(pick(rng, 3, 16, 96)), int(rng.integers(0, 4))),
        rows=int(pick(rng, 25, 80, 300)),
        epochs=int(rng.integers(40, 150)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
        inputs_of=_uniform,
    )


def hinges(rng: np.random.Generator) -> Problem:
    """A sum over columns of which each counts from some value on."""
    slopes, starts = normal(rng, 1, 8), normal(rng, 1, 8)
    return regression(
        rng,
        lambda inputs: (slopes * torch.relu(inputs - starts)).sum(1, keepdim=True),
        columns=8,
        noise=float(pick(rng, 0.1, 0.5, 1.2)),
        model=mlp(8, 1, int(pick(rng, 4, 32, 160)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 60, 200, 800)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01), "optim.weight_decay": pick(rng, 0.0, 0.01)},
    )


def ratios(rng: np.random.Generator) -> Problem:
    """Quotients of columns, none of which is ever divided by nothing."""
    return regression(
        rng,
        lambda inputs: (
            2 * inputs[:, :1] / (1 + inputs[:, 1:2] ** 2)
            + inputs[:, 2:3] * inputs[:, 3:4] / (1 + inputs[:, 3:4].abs())
        ),
        columns=6,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(6, 1, int(pick(rng, 6, 48, 160)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def hills(rng: np.random.Generator) -> Problem:
    """Hills and hollows here and there over three columns."""
    centres, heights = normal(rng, 6, 3), normal(rng, 6, 1)
    return regression(
        rng,
        lambda inputs: torch.exp(-(torch.cdist(inputs, centres) ** 2)) @ heights,
        columns=3,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=mlp(3, 1, int(pick(rng, 6, 48, 160)), int(rng.integers(0, 4))),
        rows=int(pick(rng, 100, 400, 1200)),
        epochs=int(rng.integers(30, 120)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def robot_arm(rng: np.random.Generator) -> Problem:
    """Where the hand of an arm of three joints is, in two numbers."""

    def place_of(inputs: Tensor) -> Tensor:
        angles = (1.5 * inputs).cumsum(1)
        place = torch.stack([angles.cos().sum(1), angles.sin().sum(1)], 1)
        return place - place.mean(0)

    return regression(
        rng,
        place_of,
        columns=3,
        noise=float(pick(rng, 0.02, 0.2, 0.6)),
        model=mlp(3, 2, int(pick(rng, 6, 32, 128)), int(rng.integers(0, 3))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 120)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
        inputs_of=_uniform,
        noise_of=lambda rng, rows, _: normal(rng, rows, 2),
    )


def growing_noise(rng: np.random.Generator) -> Problem:
    """Targets that are some share off, so that large ones err most."""
    columns, val, rows = 4, int(pick(rng, 150, 300, 600)), int(pick(rng, 100, 300, 1000))
    inputs, spread = normal(rng, rows + val + HELD_OUT, columns), float(pick(rng, 0.1, 0.3, 0.7))
    mean = torch.exp(0.6 * inputs[:, :1] - 0.4 * inputs[:, 1:2]) + inputs[:, 2:3] ** 2
    factor = torch.exp(spread * normal(rng, len(inputs), 1) - spread**2 / 2)
    targets = mean * factor
    scale, middle = targets[:rows].std(), targets[:rows].mean()
    train, validation, held = split(inputs, (targets - middle) / scale, rows, val)
    loss = nn.MSELoss()
    constant = float(loss(torch.zeros_like(held[1]), held[1]))
    bayes = float(loss((mean[rows + val :] - middle) / scale, held[1]))
    model = mlp(columns, 1, int(pick(rng, 6, 32, 128)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


class _Expectile(nn.Module):
    """Squared errors of which those to the one side cost more."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        errors = targets - outputs
        return (torch.where(errors > 0, self.share, 1 - self.share) * errors.square()).mean()


def _expectile_of(values: Tensor, share: float) -> Tensor:
    """The number at which the loss is lowest: a mean in which what lies above counts more."""
    found = values.mean(0)
    for _ in range(100):
        counts = torch.where(values > found, share, 1 - share)
        found = (counts * values).sum(0) / counts.sum(0)
    return found


def expectiles(rng: np.random.Generator) -> Problem:
    """What is to be expected if it is more than that, by a loss that the engine does not know."""
    share, columns = 0.85, 5
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 100, 300, 1000))
    inputs, noise = normal(rng, rows + val + HELD_OUT, columns), float(pick(rng, 0.2, 0.6, 1.2))
    clean = torch.relu(inputs[:, :1] + inputs[:, 1:2]) - torch.cos(2 * inputs[:, 2:3])
    train, validation, held = split(inputs, clean + noise * normal(rng, len(inputs), 1), rows, val)
    loss, of_normal = _Expectile(share), _expectile_of(normal(rng, 200_000, 1), share)
    constant = float(loss(_expectile_of(train[1], share).expand_as(held[1]), held[1]))
    bayes = float(loss(clean[rows + val :] + noise * of_normal, held[1]))
    model = mlp(columns, 1, int(pick(rng, 6, 32, 128)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


NUMBERS = (
    Family("log-cosh", log_cosh),
    Family("polynomials", polynomials),
    Family("hinges", hinges),
    Family("ratios", ratios),
    Family("hills", hills),
    Family("robot arm", robot_arm),
    Family("growing noise", growing_noise),
    Family("expectiles", expectiles),
)
