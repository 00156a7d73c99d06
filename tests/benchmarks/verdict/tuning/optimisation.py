"""Problems for ways to learn, from too slow to too fast."""

import numpy as np
import torch
from torch import Tensor

from ..problem import (
    Family,
    Problem,
    Settings,
    mlp,
    normal,
    of_classes,
    pick,
    regression,
    taught,
)


def rates_of_classes(rng: np.random.Generator) -> Problem:
    """Plain gradient descent with rates from far too slow to diverging."""
    columns = 6
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, 0.05, 6.0),
        columns=columns,
        rows=800,
        model=mlp(columns, 3, 32, 1),
        epochs=int(rng.integers(30, 60)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": 0.9,
            "optim.lr": pick(rng, 0.0003, 0.001, 0.01, 0.1, 5.0, 30.0),
        },
    )


def rates_of_regression(rng: np.random.Generator) -> Problem:
    """Plain gradient descent on a smooth function, too slow to diverging."""
    return regression(
        rng,
        lambda inputs: torch.tanh(inputs[:, :1] + inputs[:, 1:2]) * inputs[:, 2:3],
        columns=5,
        noise=0.3,
        model=mlp(5, 1, 32, 1),
        rows=600,
        epochs=int(rng.integers(30, 60)),
        settings={"optim.name": "sgd", "optim.lr": pick(rng, 0.0005, 0.003, 0.03, 0.1, 3.0, 10.0)},
    )


def schedules(rng: np.random.Generator) -> Problem:
    """Rates that rise, fall, or fall by steps while the run goes on."""
    columns = 7
    epochs = int(rng.integers(40, 100))
    settings: Settings = {
        "optim.schedule": pick(rng, "cosine", "one_cycle", "step", "plateau"),
        "optim.step_epochs": epochs // 3,
        "optim.lr": pick(rng, 0.003, 0.03),
    }
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.2)), 5.0),
        columns=columns,
        rows=int(pick(rng, 150, 500, 1500)),
        model=mlp(columns, 3, int(pick(rng, 8, 64)), 1),
        epochs=epochs,
        settings=settings,
    )


def correlated_columns(rng: np.random.Generator) -> Problem:
    """Columns that are nearly the same, so that plain gradient descent takes long or forever."""
    mixing = 0.3 * normal(rng, 12, 12) + normal(rng, 12, 1) @ normal(rng, 1, 12)
    weight = normal(rng, 12, 1)

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        return normal(rng, rows, columns) @ mixing / 4

    return regression(
        rng,
        lambda inputs: inputs @ weight,
        columns=12,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=mlp(12, 1, int(pick(rng, 8, 32)), int(rng.integers(0, 2))),
        rows=int(pick(rng, 40, 150, 600)),
        epochs=int(rng.integers(40, 120)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": pick(rng, 0.0, 0.9),
            "optim.lr": pick(rng, 0.001, 0.01, 0.05),
        },
        inputs_of=inputs_of,
    )


def full_batches(rng: np.random.Generator) -> Problem:
    """All rows in one batch, so that curves are smooth and updates few."""
    rows, columns = int(pick(rng, 60, 200, 600)), 6
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 5.0),
        columns=columns,
        rows=rows,
        model=mlp(columns, 3, int(pick(rng, 8, 64, 256)), int(rng.integers(1, 3))),
        epochs=int(rng.integers(60, 200)),
        settings={"train.batch_size": rows, "optim.lr": pick(rng, 0.003, 0.01, 0.03)},
    )


OPTIMISATION = (
    Family("rates, classes", rates_of_classes),
    Family("rates, regression", rates_of_regression),
    Family("schedules", schedules),
    Family("correlated columns", correlated_columns),
    Family("full batches", full_batches),
)
