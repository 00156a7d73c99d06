"""Problems of numbers."""

import numpy as np
import torch
from torch import Tensor, nn

from ..problem import (
    Family,
    Problem,
    mlp,
    normal,
    pick,
    regression,
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


NUMBERS = (
    Family("waves", waves),
    Family("wide regression", wide_regression),
    Family("interactions", interactions),
    Family("heavy tails", heavy_tails),
    Family("steps of one column", steps_of_one_column),
)
