"""Problems of real data."""

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


def images_from_themselves(rng: np.random.Generator) -> Problem:
    """Real images of digits through a bottleneck of few numbers."""
    pixels, _ = shuffled_digits(rng)
    rows, val = int(pick(rng, 60, 150, 400)), int(pick(rng, 150, 300))
    train, validation, held = split(pixels, pixels, rows, val)
    narrow = int(pick(rng, 1, 8, 32))
    model = nn.Sequential(mlp(64, narrow, 64), nn.ReLU(), mlp(narrow, 64, 64))
    loss = nn.MSELoss()
    constant = float(loss(train[1].mean(0).expand_as(held[1]), held[1]))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.0003, 0.001, 0.005)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


def hidden_pixels(rng: np.random.Generator) -> Problem:
    """Real images of digits of which only some pixels are seen, through noise."""
    images, digits = shuffled_digits(rng)
    rows, val = int(pick(rng, 100, 250, 500)), int(pick(rng, 150, 300))
    seen = np.arange(10, 54, 3)  # the same ones, or nobody knows what can be learnt
    noise = torch.from_numpy(0.2 * rng.standard_normal((len(images), len(seen))))
    train, validation, held = split((images[:, seen] + noise).float(), digits, rows, val)
    model = mlp(len(seen), 10, int(pick(rng, 8, 64)), int(rng.integers(0, 3)))
    constant = constant_of_classes(train[1], held[1])
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs, loss = int(rng.integers(30, 120)), nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


def digits_as_numbers(rng: np.random.Generator) -> Problem:
    """Real images of digits, and the digit as a number, with dropout."""
    pixels, digits = shuffled_digits(rng)
    rows, val = int(pick(rng, 80, 200, 450)), int(pick(rng, 150, 300))
    numbers = ((digits.double() - 4.5) / 2.87).float()[:, None]
    train, validation, held = split(pixels, numbers, rows, val)
    loss = nn.MSELoss()
    constant = float(loss(train[1].mean().expand_as(held[1]), held[1]))
    model = mlp(64, 1, int(pick(rng, 8, 64)), 1, float(pick(rng, 0.0, 0.3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


def cleaned_images(rng: np.random.Generator) -> Problem:
    """Real images of digits from noisy ones, through few or many hidden units."""
    pixels, _ = shuffled_digits(rng)
    rows, val = int(pick(rng, 60, 200, 500)), int(pick(rng, 150, 300))
    noise = torch.from_numpy(0.3 * rng.standard_normal(pixels.shape)).float()
    train, validation, held = split(pixels + noise, pixels, rows, val)
    loss = nn.MSELoss()
    constant = float(loss(train[1].mean(0).expand_as(held[1]), held[1]))
    model = mlp(64, 64, int(pick(rng, 4, 32, 192)), 1, float(pick(rng, 0.0, 0.2)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


def lower_halves(rng: np.random.Generator) -> Problem:
    """The lower halves of real images of digits from their upper halves."""
    pixels, _ = shuffled_digits(rng)
    rows, val = int(pick(rng, 80, 250, 600)), int(pick(rng, 150, 300))
    train, validation, held = split(pixels[:, :32], pixels[:, 32:], rows, val)
    loss = nn.MSELoss()
    constant = float(loss(train[1].mean(0).expand_as(held[1]), held[1]))
    model = mlp(32, 32, int(pick(rng, 4, 32, 192)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


def pairs_of_digits(rng: np.random.Generator) -> Problem:
    """Which of two real images of digits shows the larger one, none of them in two pairs."""
    pixels, digits = shuffled_digits(rng)
    half = len(pixels) // 2
    rows, val = int(pick(rng, 100, 250)), 150
    inputs = torch.cat([pixels[:half], pixels[half : 2 * half]], 1)
    targets = (digits[:half] > digits[half : 2 * half]).long()
    train, validation, held = split(inputs, targets, rows, val)
    model = mlp(128, 2, int(pick(rng, 8, 64)), int(rng.integers(0, 3)))
    constant = constant_of_classes(train[1], held[1])
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.001, 0.005)})
    epochs, loss = int(rng.integers(30, 100)), nn.CrossEntropyLoss()
    return Problem(model, loss, train, validation, held, settings, epochs, constant, None)


REAL_DATA = (
    Family("images from themselves", images_from_themselves),
    Family("hidden pixels", hidden_pixels),
    Family("digits as numbers", digits_as_numbers),
    Family("cleaned images", cleaned_images),
    Family("lower halves", lower_halves),
    Family("pairs of digits", pairs_of_digits),
)
