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


OPTIMISATION = (
    Family("small batches", small_batches),
    Family("clipped gradients", clipped_gradients),
)
