"""Problems of real data."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from ..problem import (
    Family,
    Problem,
    constant_of_classes,
    mlp,
    pick,
    settings_with,
    shuffled_digits,
    split,
)


def _digits(target: str) -> Callable[[np.random.Generator], Problem]:
    """Real images of digits: which one it is, whether it is odd, how dark its last two rows are."""

    def draw(rng: np.random.Generator) -> Problem:
        columns, numbers = shuffled_digits(rng)
        rows, val = int(pick(rng, 80, 150, 350)), int(pick(rng, 150, 300))
        if target == "darkness":
            dark = columns[:, 48:].mean(1, keepdim=True)
            targets = (dark - dark[:rows].mean()) / dark[:rows].std()
            columns = columns[:, :48]
        else:
            targets = numbers % 2 if target == "parity" else numbers
        train, validation, held = split(columns, targets, rows, val)
        outputs = {"darkness": 1, "parity": 2}.get(target, 10)
        width = int(pick(rng, 0, 16, 128))
        model = mlp(columns.shape[1], outputs, width, int(width > 0))
        of_numbers = target == "darkness"
        constant = (
            float(held[1].square().mean()) if of_numbers else constant_of_classes(train[1], held[1])
        )
        loss: nn.Module = nn.MSELoss() if of_numbers else nn.CrossEntropyLoss()
        settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.01)})
        epochs = int(rng.integers(30, 120))
        return Problem(model, loss, train, validation, held, settings, epochs, constant, None)

    return draw


def convolutions(rng: np.random.Generator) -> Problem:
    """Real images of digits through a small convolutional network, some labels wrong."""
    pixels, digits = shuffled_digits(rng)
    rows, val = int(pick(rng, 100, 200, 400)), int(pick(rng, 150, 300))
    is_wrong = torch.from_numpy(rng.random(len(digits)) < 0.1)
    wrong = torch.from_numpy(rng.integers(10, size=len(digits)))
    images, labels = pixels.reshape(-1, 1, 8, 8), torch.where(is_wrong, wrong, digits)
    train, validation, held = split(images, labels, rows, val)
    channels = int(pick(rng, 2, 8, 16))
    convolution = (nn.Conv2d(1, channels, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    model = nn.Sequential(*convolution, nn.Linear(channels * 9, 10))
    constant = constant_of_classes(train[1], held[1])
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.01)})
    epochs = int(rng.integers(30, 90))
    loss = nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


REAL_DATA = (
    Family("digits", _digits("digit")),
    Family("digits, odd or even", _digits("parity")),
    Family("digits, darkness", _digits("darkness")),
    Family("convolutions", convolutions),
)
