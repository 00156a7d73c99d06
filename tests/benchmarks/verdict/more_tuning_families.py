"""More families of problems that the verdict was fitted to: other models and losses."""

import numpy as np
import torch
from torch import Tensor, nn

from .problem import (
    Family,
    Problem,
    Settings,
    constant_of_classes,
    flipped,
    mlp,
    of_classes,
    pick,
    regression,
    settings_with,
    shuffled_digits,
    split,
    taught,
    two_classes,
)


def spirals(rng: np.random.Generator) -> Problem:
    """Two arms around each other, for networks that are too small, large enough, far too large."""
    noise = float(rng.uniform(0, 0.3))

    def probabilities_of(inputs: Tensor) -> Tensor:
        angle = torch.atan2(inputs[:, 0], inputs[:, 1])
        return flipped(two_classes(5 * torch.sin(angle + 2.5 * inputs.norm(dim=1))), noise)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=2,
        rows=int(pick(rng, 100, 400, 1500)),
        model=mlp(2, 2, int(pick(rng, 2, 16, 128)), int(rng.integers(0, 4))),
        epochs=int(rng.integers(30, 100)),
    )


def _student(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
    return torch.from_numpy(rng.standard_t(3, (rows, columns)).astype(np.float32))


def heavy_tails(rng: np.random.Generator) -> Problem:
    """Noise with outliers under a loss that bears them, rates from too slow to diverging."""
    return regression(
        rng,
        lambda inputs: inputs[:, :1] * torch.sigmoid(3 * inputs[:, 1:2]) + inputs[:, 2:3],
        columns=4,
        noise=float(pick(rng, 0.1, 0.3, 0.6)),
        model=mlp(4, 1, int(pick(rng, 8, 64)), 1),
        rows=int(pick(rng, 100, 400, 1000)),
        epochs=int(rng.integers(30, 90)),
        settings={
            "optim.name": "sgd",
            "optim.momentum": 0.9,
            "optim.lr": pick(rng, 0.0003, 0.003, 0.03, 0.3, 30.0),
        },
        loss=nn.HuberLoss(),
        noise_of=_student,
    )


def rare_class(rng: np.random.Generator) -> Problem:
    """One row in fifteen or so is of the class that matters."""
    steepness = float(rng.uniform(1, 4))

    def probabilities_of(inputs: Tensor) -> Tensor:
        return two_classes(steepness * (inputs[:, 0] + inputs[:, 1] ** 2 - 3.2))

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=6,
        rows=int(pick(rng, 200, 600, 2000)),
        model=mlp(6, 2, int(pick(rng, 8, 64)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 90)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


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


class _LastState(nn.Module):
    """A number from a sequence, by the last state of a recurrent network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(1, width, batch_first=True)
        self.out = nn.Linear(width, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        states, _ = self.recurrent(inputs[:, :, None])
        result: Tensor = self.out(states[:, -1])
        return result


def sequences(rng: np.random.Generator) -> Problem:
    """What a short sequence's numbers, later ones more than earlier ones, give in the end."""

    def function(inputs: Tensor) -> Tensor:
        state = torch.zeros(len(inputs), 1)
        for step in range(inputs.shape[1]):
            state = torch.tanh(0.8 * state + inputs[:, step : step + 1])
        return state

    return regression(
        rng,
        function,
        columns=6,
        noise=float(pick(rng, 0.1, 0.5, 1.5)),
        model=_LastState(int(pick(rng, 2, 16, 64))),
        rows=int(pick(rng, 60, 200, 600)),
        epochs=int(rng.integers(30, 80)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
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


def steps_of_one_column(rng: np.random.Generator) -> Problem:
    """Steps and a slope over one column, few rows, deep networks."""
    return regression(
        rng,
        lambda inputs: torch.sign(torch.sin(3 * inputs)) + 0.3 * inputs,
        columns=1,
        noise=float(pick(rng, 0.1, 0.5, 1.5)),
        model=mlp(1, 1, int(pick(rng, 3, 32, 128)), int(rng.integers(1, 4))),
        rows=int(pick(rng, 30, 100, 500)),
        epochs=int(rng.integers(40, 150)),
        settings={"optim.lr": pick(rng, 0.001, 0.01)},
    )


MORE_TUNING_FAMILIES = (
    Family("spirals", spirals),
    Family("heavy tails", heavy_tails),
    Family("rare class", rare_class),
    Family("convolutions", convolutions),
    Family("sequences", sequences),
    Family("schedules", schedules),
    Family("steps of one column", steps_of_one_column),
)
