"""Problems for ways to learn, from too slow to too fast."""

import numpy as np
import torch

from ..problem import (
    Family,
    Problem,
    mlp,
    of_classes,
    pick,
    regression,
    taught,
)


def small_batches(rng: np.random.Generator) -> Problem:
    """Few rows an update, so that the curves jump about."""
    columns = 5
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 5.0),
        columns=columns,
        rows=int(pick(rng, 80, 240, 480)),
        model=mlp(columns, 3, int(pick(rng, 8, 64)), 1),
        epochs=int(rng.integers(20, 60)),
        settings={"train.batch_size": pick(rng, 4, 8), "optim.lr": pick(rng, 0.001, 0.01)},
    )


def clipped_gradients(rng: np.random.Generator) -> Problem:
    """Gradient descent with momentum whose gradients are clipped, from slow to fast."""
    return regression(
        rng,
        lambda inputs: torch.sin(inputs[:, :1] + inputs[:, 1:2]) + 0.3 * inputs[:, 2:3],
        columns=6,
        noise=float(pick(rng, 0.1, 0.5)),
        model=mlp(6, 1, int(pick(rng, 16, 96)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 100, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": 0.9,
            "optim.clip_norm": 0.3,
            "optim.lr": pick(rng, 0.0005, 0.005, 0.05),
        },
    )


def short_runs(rng: np.random.Generator) -> Problem:
    """A dozen epochs or two, of many updates each."""
    columns = 8
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 4.0),
        columns=columns,
        rows=int(pick(rng, 400, 1200, 3000)),
        model=mlp(columns, 3, int(pick(rng, 8, 64, 256)), int(rng.integers(1, 3))),
        epochs=int(rng.integers(12, 26)),
        settings={"train.batch_size": pick(rng, 16, 64), "optim.lr": pick(rng, 0.001, 0.01)},
    )


def long_runs(rng: np.random.Generator) -> Problem:
    """Hundreds of epochs at a low rate."""
    return regression(
        rng,
        lambda inputs: torch.relu(inputs[:, :1] + inputs[:, 1:2]) - inputs[:, 2:3].abs(),
        columns=5,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=mlp(5, 1, int(pick(rng, 4, 32, 128)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 50, 150, 300)),
        epochs=int(rng.integers(120, 250)),
        settings={"optim.lr": pick(rng, 0.0003, 0.001, 0.003)},
    )


def one_cycle(rng: np.random.Generator) -> Problem:
    """Rates that rise first and fall to nothing, or only fall, on numbers."""
    return regression(
        rng,
        lambda inputs: torch.cos(2 * inputs[:, :1]) + inputs[:, 1:2] * inputs[:, 2:3],
        columns=5,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=mlp(5, 1, int(pick(rng, 8, 64)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 90)),
        settings={
            "optim.schedule": pick(rng, "one_cycle", "cosine"),
            "optim.lr": pick(rng, 0.003, 0.02),
        },
    )


def accumulated_batches(rng: np.random.Generator) -> Problem:
    """Gradients of several small batches an update, with dropout and Nesterov's momentum."""
    columns = 6
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.2)), 5.0),
        columns=columns,
        rows=int(pick(rng, 160, 480, 1440)),
        model=mlp(columns, 3, int(pick(rng, 16, 96)), 1, float(pick(rng, 0.0, 0.3))),
        epochs=int(rng.integers(30, 80)),
        settings={
            "train.batch_size": 16,
            "optim.accumulate": pick(rng, 2, 8),
            "optim.name": "sgd",
            "optim.momentum": 0.9,
            "optim.nesterov": "true",
            "optim.lr": pick(rng, 0.01, 0.05, 0.2),
        },
    )


OPTIMISATION = (
    Family("small batches", small_batches),
    Family("clipped gradients", clipped_gradients),
    Family("short runs", short_runs),
    Family("long runs", long_runs),
    Family("one cycle", one_cycle),
    Family("accumulated batches", accumulated_batches),
)
