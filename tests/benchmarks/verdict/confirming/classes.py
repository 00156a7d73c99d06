"""Problems of classes."""

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
    drawn_classes,
    flipped,
    mlp,
    normal,
    of_classes,
    pick,
    settings_with,
    taught,
    two_classes,
)


def corners(rng: np.random.Generator) -> Problem:
    """Clouds at the corners of a cube, each of one of three classes, and columns that tell nothing.

    With clouds of one spread the probabilities are sums of a softmax over the corners.
    """
    useful, columns, spread = 4, 8, float(pick(rng, 0.4, 0.7, 1.1))
    corner = torch.tensor(
        [[2.0 * (place >> bit & 1) - 1 for bit in range(4)] for place in range(16)]
    )
    owner = functional.one_hot(torch.from_numpy(rng.integers(3, size=len(corner))), 3).float()

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        inputs = spread * normal(rng, rows, columns)
        inputs[:, :useful] += corner[torch.from_numpy(rng.integers(len(corner), size=rows))]
        return inputs

    return of_classes(
        rng,
        probabilities_of=lambda inputs: (
            functional.softmax(inputs[:, :useful] @ corner.T / spread**2, 1) @ owner
        ),
        columns=columns,
        rows=int(pick(rng, 150, 500, 1500)),
        model=mlp(columns, 3, int(pick(rng, 6, 48, 160)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
        inputs_of=inputs_of,
    )


def independent_flags(rng: np.random.Generator) -> Problem:
    """Twenty-four flags that are set or not, each for itself, more or less often in each class."""
    columns, classes = 24, 3
    logits = float(pick(rng, 0.4, 0.9)) * normal(rng, classes, columns)
    chances = torch.sigmoid(logits)

    def inputs_of(rng: np.random.Generator, rows: int, columns: int) -> Tensor:
        of_row = chances[torch.from_numpy(rng.integers(classes, size=rows))]
        drawn = torch.from_numpy(rng.random((rows, columns)).astype(np.float32))
        return (drawn < of_row).float()

    def probabilities_of(inputs: Tensor) -> Tensor:
        log = inputs @ chances.log().T + (1 - inputs) @ (1 - chances).log().T
        return functional.softmax(log, 1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=columns,
        rows=int(pick(rng, 80, 250, 1000)),
        model=mlp(columns, classes, int(pick(rng, 8, 64)), int(rng.integers(0, 2))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.001, 0.01), "optim.weight_decay": pick(rng, 0.0, 0.01)},
        inputs_of=inputs_of,
    )


def uneven_flips(rng: np.random.Generator) -> Problem:
    """Labels of one class that are often taken for another one."""
    columns, share = 6, float(pick(rng, 0.1, 0.3, 0.45))
    taken = torch.tensor([[1 - share, share, 0.0], [0.0, 1.0, 0.0], [0.05, 0.05, 0.9]])
    clean = taught(rng, columns, 0.0, 6.0)
    return of_classes(
        rng,
        probabilities_of=lambda inputs: clean(inputs) @ taken,
        columns=columns,
        rows=int(pick(rng, 120, 400, 1200)),
        model=mlp(columns, 3, int(pick(rng, 8, 48, 160)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


class _Focal(nn.Module):
    """A loss of two classes that counts the rows less which are well told."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        each = functional.cross_entropy(outputs, targets, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()


def _best_of_focal(positive: Tensor) -> Tensor:
    """The logits of the guesses with the lowest expected loss, tried one by one."""
    guess = torch.linspace(0.001, 0.999, 999)
    if_one, if_zero = -((1 - guess) ** 2) * guess.log(), -(guess**2) * (1 - guess).log()
    best = guess[(positive[:, None] * if_one + (1 - positive[:, None]) * if_zero).argmin(1)]
    return torch.stack([(1 - best).log(), best.log()], 1)


def focal(rng: np.random.Generator) -> Problem:
    """Two classes of unequal size by a loss that the engine knows nothing of."""
    columns, val, rows = 5, int(pick(rng, 150, 300, 600)), int(pick(rng, 120, 400, 1200))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    score = 3 * torch.sin(inputs[:, 0]) * inputs[:, 1] + 2 * inputs[:, 2] - 1.5
    chances = flipped(two_classes(score), float(pick(rng, 0.0, 0.2)))
    train, validation, held, _, _ = drawn_classes(rng, chances, inputs, rows, val)
    loss, share = _Focal(), train[1].float().mean().reshape(1)
    constant = float(loss(_best_of_focal(share).expand(len(held[1]), -1), held[1]))
    bayes = float(loss(_best_of_focal(chances[rows + val :, 1]), held[1]))
    model = mlp(columns, 2, int(pick(rng, 6, 32, 128)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs = int(rng.integers(30, 100))
    return Problem(model, loss, train, validation, held, settings, epochs, constant, bayes)


def prototypes(rng: np.random.Generator) -> Problem:
    """Eight prototypes of four classes; a row is most likely of the nearest one's."""
    columns = int(pick(rng, 2, 5))
    centres, steepness = normal(rng, 8, columns), float(pick(rng, 1.0, 3.0, 8.0))
    owner = functional.one_hot(torch.arange(8) % 4, 4).float()
    return of_classes(
        rng,
        probabilities_of=lambda inputs: (
            functional.softmax(-steepness * torch.cdist(inputs, centres) ** 2, 1) @ owner
        ),
        columns=columns,
        rows=int(pick(rng, 150, 500, 1500)),
        model=mlp(columns, 4, int(pick(rng, 6, 48, 160)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


def other_inputs_in_training(rng: np.random.Generator) -> Problem:
    """Rows to validate on that lie elsewhere, and further apart, than those to train on."""
    columns, rows = 5, int(pick(rng, 150, 400, 1200))

    def inputs_of(rng: np.random.Generator, total: int, columns: int) -> Tensor:
        inputs = normal(rng, total, columns)
        inputs[rows:] = 0.4 + 1.2 * inputs[rows:]
        return inputs

    return of_classes(
        rng,
        probabilities_of=taught(rng, columns, float(rng.uniform(0, 0.3)), 4.0),
        columns=columns,
        rows=rows,
        model=mlp(columns, 3, int(pick(rng, 8, 48, 160)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
        inputs_of=inputs_of,
    )


def wrong_labels_in_training(rng: np.random.Generator) -> Problem:
    """Labels that were guessed for a part of the training rows; all others are right."""
    columns, val, rows = 6, int(pick(rng, 150, 300, 600)), int(pick(rng, 150, 500, 1500))
    inputs = normal(rng, rows + val + HELD_OUT, columns)
    with torch.no_grad():
        chances = taught(rng, columns, 0.0, 5.0)(inputs)
    train, validation, held, _, bayes = drawn_classes(rng, chances, inputs, rows, val)
    guessed = torch.from_numpy(rng.random(rows) < float(pick(rng, 0.15, 0.3)))
    labels = torch.where(guessed, torch.from_numpy(rng.integers(3, size=rows)), train[1])
    model = mlp(columns, 3, int(pick(rng, 8, 48, 160)), int(rng.integers(0, 3)))
    settings = settings_with(rng, {"optim.lr": pick(rng, 0.002, 0.01)})
    epochs, constant = int(rng.integers(30, 100)), constant_of_classes(labels, held[1])
    return Problem(
        model, nn.CrossEntropyLoss(), (train[0], labels), validation, held,
        settings, epochs, constant, bayes,
    )  # fmt: skip


def sectors_of_a_circle(rng: np.random.Generator) -> Problem:
    """Classes by the direction in which a row lies, in few or many sectors."""
    sectors, steepness = int(pick(rng, 3, 6)), float(pick(rng, 2.0, 6.0))
    middles = torch.arange(sectors) * 2 * math.pi / sectors

    def probabilities_of(inputs: Tensor) -> Tensor:
        angle = torch.atan2(inputs[:, 1], inputs[:, 0])[:, None]
        return functional.softmax(steepness * torch.cos(angle - middles), 1)

    return of_classes(
        rng,
        probabilities_of=probabilities_of,
        columns=4,
        rows=int(pick(rng, 120, 400, 1200)),
        model=mlp(4, sectors, int(pick(rng, 4, 24, 128)), int(rng.integers(0, 3))),
        epochs=int(rng.integers(30, 100)),
        settings={"optim.lr": pick(rng, 0.002, 0.01)},
    )


CLASSES = (
    Family("corners", corners),
    Family("independent flags", independent_flags),
    Family("uneven flips", uneven_flips),
    Family("focal", focal),
    Family("prototypes", prototypes),
    Family("other inputs in training", other_inputs_in_training),
    Family("wrong labels in training", wrong_labels_in_training),
    Family("sectors", sectors_of_a_circle),
)
