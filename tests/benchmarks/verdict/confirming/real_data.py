"""Problems of real data."""

import numpy as np
import torch
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

# What is done to all images is the same in all runs, or nobody knows what can be learnt.
_SAME = torch.Generator().manual_seed(0)
_DIRECTIONS = torch.randn(64, 10, generator=_SAME) / 8
_ORDER = torch.randperm(64, generator=_SAME)


def _of_digits(
    rng: np.random.Generator, inputs: Tensor, labels: Tensor, model: nn.Module, rows: int
) -> Problem:
    train, validation, held = split(inputs, labels, rows, int(pick(rng, 150, 300)))
    constant = constant_of_classes(train[1], held[1])
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs, loss = int(rng.integers(30, 100)), nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


def wrong_digits(rng: np.random.Generator) -> Problem:
    """Real images of digits, of which a fifth say any digit."""
    pixels, digits = shuffled_digits(rng)
    guessed = torch.from_numpy(rng.random(len(digits)) < 0.2)
    labels = torch.where(guessed, torch.from_numpy(rng.integers(10, size=len(digits))), digits)
    model = mlp(64, 10, int(pick(rng, 8, 64, 192)), int(rng.integers(0, 3)))
    return _of_digits(rng, pixels, labels, model, int(pick(rng, 100, 300, 700)))


def few_digits(rng: np.random.Generator) -> Problem:
    """Few real images of digits, with and without dropout."""
    pixels, digits = shuffled_digits(rng)
    model = mlp(64, 10, int(pick(rng, 12, 96)), 1, float(pick(rng, 0.0, 0.5)))
    return _of_digits(rng, pixels, digits, model, int(pick(rng, 40, 80, 160)))


def mixed_pixels(rng: np.random.Generator) -> Problem:
    """Ten numbers of each real image of a digit, sums of its pixels in random shares."""
    pixels, digits = shuffled_digits(rng)
    model = mlp(10, 10, int(pick(rng, 8, 64, 192)), int(rng.integers(0, 3)))
    return _of_digits(rng, 4 * pixels @ _DIRECTIONS, digits, model, int(pick(rng, 100, 300, 700)))


def pixels_out_of_order(rng: np.random.Generator) -> Problem:
    """Real images of digits whose pixels are in another order, through convolutions."""
    pixels, digits = shuffled_digits(rng)
    channels = int(pick(rng, 1, 4, 16))
    layers = (nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, channels, 3, padding=1), nn.ReLU())
    model = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * channels, 10))
    return _of_digits(rng, pixels[:, _ORDER], digits, model, int(pick(rng, 100, 300, 700)))


REAL_DATA = (
    Family("wrong digits", wrong_digits),
    Family("few digits", few_digits),
    Family("mixed pixels", mixed_pixels),
    Family("pixels out of order", pixels_out_of_order),
)
