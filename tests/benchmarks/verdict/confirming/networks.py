"""Problems for networks that are more than layers in a row, or whose units are others."""

import numpy as np
import torch
from torch import Tensor, nn

from ..problem import Family, Problem, mlp, of_classes, pick, regression, taught, two_classes


def _layers(inputs: int, outputs: int, width: int, depth: int, unit: nn.Module) -> nn.Module:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), unit]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def smooth_units(rng: np.random.Generator) -> Problem:
    """Wrong labels through units that bend smoothly."""
    columns, unit = 7, pick(rng, nn.GELU(), nn.SiLU())
    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.4)), 5.0),
        columns=columns,
        rows=int(pick(rng, 120, 400, 1200)),
        model=_layers(columns, 3, int(pick(rng, 8, 48, 160)), int(rng.integers(1, 4)), unit),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
    )


def leaky_units(rng: np.random.Generator) -> Problem:
    """Products of waves through deep networks of leaky units."""
    return regression(
        rng,
        lambda inputs: torch.sin(2 * inputs).prod(1, keepdim=True),
        columns=3,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=_layers(3, 1, int(pick(rng, 6, 32, 96)), int(rng.integers(1, 5)), nn.LeakyReLU()),
        rows=int(pick(rng, 150, 500, 1500)),
        epochs=int(rng.integers(30, 120)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
    )


class _Motifs(nn.Module):
    """Which short words a text of letters holds, wherever they are."""

    def __init__(self, letters: int, channels: int, width: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, 6)
        self.words = nn.Conv1d(6, channels, width)
        self.out = nn.Linear(channels, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        found = torch.relu(self.words(self.letters(inputs).transpose(1, 2)))
        result: Tensor = self.out(found.amax(2))
        return result


def motifs(rng: np.random.Generator) -> Problem:
    """Texts of four letters, which are likelier of one class if they hold a word of three."""
    word, sure = torch.from_numpy(rng.integers(4, size=3)), float(pick(rng, 1.0, 2.0, 3.5))

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        return torch.from_numpy(rng.integers(4, size=(rows, columns)))

    def probabilities_of(inputs: Tensor) -> Tensor:
        holds = (inputs.unfold(1, 3, 1) == word).all(2).any(1)
        return two_classes(sure * (2 * holds.float() - 1))

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=20,
        rows=int(pick(rng, 150, 500, 1500)),
        model=_Motifs(4, int(pick(rng, 2, 8, 32)), 3),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.003, 0.01)},
        inputs_of=inputs_of,
    )


def weights_at_the_start(rng: np.random.Generator) -> Problem:
    """Networks whose weights are far too small or too large when the training begins."""
    model, size = mlp(6, 1, int(pick(rng, 16, 96)), int(rng.integers(1, 3))), pick(rng, 0.1, 1, 3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(float(size))
    return regression(
        rng,
        lambda inputs: torch.tanh(2 * inputs[:, :1]) * inputs[:, 1:2] + inputs[:, 2:3].abs(),
        columns=6,
        noise=float(pick(rng, 0.1, 0.4, 1.0)),
        model=model,
        rows=int(pick(rng, 80, 300, 1000)),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.001, 0.005)},
    )


NETWORKS = (
    Family("smooth units", smooth_units),
    Family("leaky units", leaky_units),
    Family("motifs", motifs),
    Family("weights at the start", weights_at_the_start),
)
