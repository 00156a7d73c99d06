"""Problems of real data."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn

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


def turned_digits(rng: np.random.Generator) -> Problem:
    """By how many right angles real images of digits have been turned."""
    pixels, _ = shuffled_digits(rng)
    rows, val = int(pick(rng, 80, 250, 600)), int(pick(rng, 150, 300))
    turns = torch.from_numpy(rng.integers(4, size=len(pixels)))
    images = pixels.reshape(-1, 8, 8)
    turned = torch.stack([images.rot90(by, (1, 2)) for by in range(4)])[turns, range(len(turns))]
    train, validation, held = split(turned.flatten(1), turns, rows, val)
    model = mlp(64, 4, int(pick(rng, 8, 64)), int(rng.integers(0, 3)), float(pick(rng, 0.0, 0.3)))
    constant = constant_of_classes(train[1], held[1])
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs, loss = int(rng.integers(30, 100)), nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


class _Letters(nn.Module):
    """The next letter from the last few, through what each of them stands for."""

    def __init__(self, letters: int, length: int, width: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, 8)
        self.out = mlp(8 * length, letters, width)

    def forward(self, inputs: Tensor) -> Tensor:
        result: Tensor = self.out(self.letters(inputs).flatten(1))
        return result


def text(rng: np.random.Generator) -> Problem:
    """The next letter of real texts, what is said of three data sets, from the five before it."""
    known = " abcdefghijklmnopqrstuvwxyz"
    loaded = (datasets.load_breast_cancer(), datasets.load_wine(), datasets.load_iris())
    written = " ".join(" ".join(each.DESCR.lower().split()) for each in loaded)
    letters = torch.tensor([max(known.find(letter), 0) for letter in written])
    windows = letters.unfold(0, 6, 1)[torch.from_numpy(rng.permutation(len(letters) - 5))]
    rows, val = int(pick(rng, 300, 900)), int(pick(rng, 300, 600))
    train, validation, held = split(windows[:, :5], windows[:, 5], rows, val)
    model = _Letters(len(known), 5, int(pick(rng, 8, 48)))
    constant = constant_of_classes(train[1], held[1])
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs, loss = int(rng.integers(20, 60)), nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


REAL_DATA = (
    Family("digits", _digits("digit")),
    Family("digits, odd or even", _digits("parity")),
    Family("digits, darkness", _digits("darkness")),
    Family("convolutions", convolutions),
    Family("turned digits", turned_digits),
    Family("text", text),
)
