"""Problems for networks that are more than layers in a row."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from ..problem import (
    Family,
    Problem,
    normal,
    of_classes,
    pick,
    regression,
    taught,
)


def normalised_layers(rng: np.random.Generator) -> Problem:
    """Networks whose layers are normalised by batch, with wrong labels."""
    columns, width = 8, int(pick(rng, 16, 64))
    layers = (nn.Linear(columns, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 3))
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.4)), 5.0),
        columns=columns,
        rows=int(pick(rng, 128, 512, 1536)),
        model=nn.Sequential(*layers),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
    )


class _RandomFeatures(nn.Module):
    """A line over fixed random features."""

    weight: Tensor
    bias: Tensor

    def __init__(self, columns: int, features: int, generator: np.random.Generator) -> None:
        super().__init__()
        self.register_buffer("weight", normal(generator, columns, features))
        self.register_buffer("bias", normal(generator, 1, features))
        self.out = nn.Linear(features, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        features = torch.cos(inputs @ self.weight + self.bias) / math.sqrt(len(self.bias[0]) / 10)
        result: Tensor = self.out(features)
        return result


def random_features(rng: np.random.Generator) -> Problem:
    """Lines over fewer or more random features than there are rows."""
    columns, features = 4, int(pick(rng, 10, 100, 600))
    return regression(
        rng,
        lambda inputs: torch.sin(inputs.sum(1, keepdim=True)) + 0.3 * inputs[:, :1] ** 2,
        columns=columns,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=_RandomFeatures(columns, features, rng),
        rows=int(pick(rng, 50, 150, 500)),
        epochs=int(rng.integers(40, 150)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
    )


def _tanh_network(inputs: int, width: int, depth: int) -> nn.Module:
    layers: list[nn.Module] = []
    for place in range(depth):
        layers += [nn.Linear(inputs if place == 0 else width, width), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(width, 1))


def tanh_networks(rng: np.random.Generator) -> Problem:
    """A smooth function through deep and narrow or shallow and wide networks of tanh."""
    return regression(
        rng,
        lambda inputs: torch.sin(2 * inputs[:, :1]) * inputs[:, 1:2] + inputs[:, 2:3].abs(),
        columns=3,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=_tanh_network(3, int(pick(rng, 4, 24, 96)), int(rng.integers(1, 4))),
        rows=int(pick(rng, 60, 200, 800)),
        epochs=int(rng.integers(40, 120)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def residual_networks(rng: np.random.Generator) -> Problem:
    """A network whose layers add to what they get, on classes that few columns tell."""
    columns, width = 10, int(pick(rng, 8, 48))

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())

        def forward(self, inputs: Tensor) -> Tensor:
            result: Tensor = inputs + self.layers(inputs)
            return result

    blocks = [Residual() for _ in range(int(rng.integers(1, 4)))]
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 4.0),
        columns=columns,
        rows=int(pick(rng, 120, 400, 1200)),
        model=nn.Sequential(nn.Linear(columns, width), *blocks, nn.Linear(width, 3)),
        epochs=int(rng.integers(30, 80)),
        settings={"optim.name": "adamw", "optim.lr": pick(rng, 0.0005, 0.003)},
    )


NETWORKS = (
    Family("normalised layers", normalised_layers),
    Family("random features", random_features),
    Family("tanh networks", tanh_networks),
    Family("residual networks", residual_networks),
)
