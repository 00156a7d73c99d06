"""Problems for networks that are more than layers in a row."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..problem import (
    HELD_OUT,
    Family,
    Problem,
    constant_of_classes,
    mlp,
    normal,
    of_classes,
    pick,
    regression,
    settings_with,
    split,
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


def signals(rng: np.random.Generator) -> Problem:
    """Where in a noisy signal a known bump is, through convolutions.

    With noise of one spread the probabilities are the softmax of the matched filter.
    """
    length, height = 24, float(pick(rng, 0.5, 0.8, 1.2))
    places = torch.arange(4, 21, 4)[:, None]
    bumps = height * torch.exp(-(((torch.arange(length) - places) / 1.5) ** 2))
    val, rows = int(pick(rng, 150, 300, 600)), int(pick(rng, 100, 400, 1200))
    targets = torch.from_numpy(rng.integers(len(bumps), size=rows + val + HELD_OUT))
    inputs = bumps[targets] + 0.6 * normal(rng, len(targets), length)
    log = functional.log_softmax((inputs @ bumps.T - bumps.square().sum(1) / 2) / 0.6**2, 1)
    train, validation, held = split(inputs, targets, rows, val)
    bayes = float(functional.nll_loss(log[rows + val :], held[1]))
    channels = int(pick(rng, 2, 8, 24))
    layers = (nn.Unflatten(1, (1, length)), nn.Conv1d(1, channels, 5, padding=2), nn.ReLU())
    model = nn.Sequential(*layers, nn.AvgPool1d(2), nn.Flatten(), nn.Linear(channels * 12, 5))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs, loss = int(rng.integers(30, 80)), nn.CrossEntropyLoss()
    constant = constant_of_classes(train[1], held[1])
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def normalised_regression(rng: np.random.Generator) -> Problem:
    """A smooth function through layers normalised by batch, by gradient descent or Adam."""
    width = int(pick(rng, 16, 64))
    layers = (nn.Linear(6, width), nn.BatchNorm1d(width), nn.ReLU())
    more = (nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU())
    return regression(
        rng,
        lambda inputs: torch.sin(inputs[:, :1] * 2) * inputs[:, 1:2] + inputs[:, 2:3].abs(),
        columns=6,
        noise=float(pick(rng, 0.1, 0.5, 1.0)),
        model=nn.Sequential(*layers, *(more if rng.integers(2) else ()), nn.Linear(width, 1)),
        rows=int(pick(rng, 128, 384, 1024)),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.name": pick(rng, "adam", "sgd"), "optim.lr": pick(rng, 0.002, 0.02)},
    )


class _Waves(nn.Module):
    """Sines and cosines of the columns, at rates up to a highest, before a network."""

    rates: Tensor

    def __init__(self, columns: int, highest: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rates", torch.arange(1, highest + 1).float())
        self.out = mlp(2 * columns * highest, 1, width)

    def forward(self, inputs: Tensor) -> Tensor:
        angles = (inputs[:, :, None] * self.rates).flatten(1)
        result: Tensor = self.out(torch.cat([angles.sin(), angles.cos()], 1))
        return result


def waves_as_inputs(rng: np.random.Generator) -> Problem:
    """A surface over two columns, from sines of few rates or of too many."""
    return regression(
        rng,
        lambda inputs: torch.sin(3 * inputs[:, :1]) * torch.cos(2 * inputs[:, 1:]) + inputs[:, 1:],
        columns=2,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=_Waves(2, int(pick(rng, 1, 4, 12)), int(pick(rng, 8, 48))),
        rows=int(pick(rng, 80, 250, 800)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
    )


NETWORKS = (
    Family("normalised layers", normalised_layers),
    Family("random features", random_features),
    Family("tanh networks", tanh_networks),
    Family("residual networks", residual_networks),
    Family("signals", signals),
    Family("normalised regression", normalised_regression),
    Family("waves as inputs", waves_as_inputs),
)
