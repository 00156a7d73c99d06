"""Problems for ways to learn, from too slow to too fast."""

import numpy as np
import torch

from ..problem import Family, Problem, mlp, of_classes, pick, regression, taught


def momentum(rng: np.random.Generator) -> Problem:
    """Gradient descent with much momentum, from far too slow to diverging."""
    columns = 6
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 4.0),
        columns=columns,
        rows=int(pick(rng, 120, 400, 1200)),
        model=mlp(columns, 3, int(pick(rng, 8, 64)), int(rng.integers(1, 3))),
        epochs=int(rng.integers(30, 90)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": pick(rng, 0.9, 0.97),
            "optim.lr": pick(rng, 0.0003, 0.003, 0.03, 0.3),
        },
    )


def warm_up(rng: np.random.Generator) -> Problem:
    """Rates that rise for a while, and then fall or stay."""
    return regression(
        rng,
        lambda inputs: torch.sin(inputs[:, :1] - inputs[:, 1:2]) + inputs[:, 2:3] * inputs[:, 3:4],
        columns=6,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=mlp(6, 1, int(pick(rng, 8, 64)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 90)),
        settings={
            "optim.warmup_epochs": pick(rng, 3, 10),
            "optim.schedule": pick(rng, "constant", "cosine", "step"),
            "optim.lr": pick(rng, 0.003, 0.02),
        },
    )


def any_batch_size(rng: np.random.Generator) -> Problem:
    """Batches of four rows or of all there are, at rates that suit neither or both."""
    return regression(
        rng,
        lambda inputs: torch.relu(inputs[:, :2]).prod(1, keepdim=True) + inputs[:, 2:3],
        columns=5,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=mlp(5, 1, int(pick(rng, 8, 64)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 80, 240, 600)),
        epochs=int(rng.integers(30, 90)),
        settings={
            "train.batch_size": pick(rng, 4, 24, 600),
            "optim.lr": pick(rng, 0.0005, 0.003, 0.02),
        },
    )


def decay_of_weights(rng: np.random.Generator) -> Problem:
    """Large networks on few rows, held by no decay of weights or by far too much."""
    return regression(
        rng,
        lambda inputs: inputs[:, :1] - inputs[:, 1:2] + torch.cos(2 * inputs[:, 2:3]),
        columns=10,
        noise=float(pick(rng, 0.2, 0.6, 1.2)),
        model=mlp(10, 1, int(pick(rng, 32, 160)), int(rng.integers(1, 3))),
        rows=int(pick(rng, 60, 200, 600)),
        epochs=int(rng.integers(40, 120)),
        settings={
            "optim.name": "adamw",
            "optim.weight_decay": pick(rng, 0.0, 0.1, 1.0, 10.0),
            "optim.lr": pick(rng, 0.001, 0.005),
        },
    )


OPTIMISATION = (
    Family("momentum", momentum),
    Family("warm-up", warm_up),
    Family("any batch size", any_batch_size),
    Family("decay of weights", decay_of_weights),
)
