"""A model and data of your own: a small convolutional network that reads handwritten digits.

    epochtop train --task examples/own_task.py:build --set train.epochs=20

epochtop imports this file, calls `build` with the run's settings and trains the `Task` that it
returns. The loop, the losses, early stopping, checkpoints and the screen are epochtop's; what is
learnt, and from what, is yours.
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from epochtop.core import Settings, Task
from epochtop.core.loss.metrics import accuracy


class Digits(Dataset[dict[str, Tensor]]):
    """Images of 8 x 8 pixels, a dict each; the loader makes a dict of whole batches of them.

    The key `label` is the target (so are `labels`, `target`, `targets` and `y`). The model is
    called with the others by name, here `model(image=...)`. A pair (image, label) would do as well.
    """

    def __init__(self, images: Tensor, labels: Tensor, *, shifted: bool) -> None:
        self.images = images
        self.labels = labels
        self.shifted = shifted

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> dict[str, Tensor]:
        image = self.images[row]
        return {"image": _shift(image) if self.shifted else image, "label": self.labels[row]}


class DigitReader(nn.Module):
    """Two convolutions, and a linear layer over what is left of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classify = nn.Sequential(nn.Dropout(0.2), nn.Linear(32 * 4 * 4, 10))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """The features and the logits; the loss is given what is called `logits`."""
        features = self.features(image)
        return {"features": features, "logits": self.classify(features)}


def build(settings: Settings) -> Task:
    """The task: called once at the start of a run, and again when the run is resumed.

    Take random numbers from torch, numpy or random as you like: all three are seeded with
    `train.seed` before, so that a resumed run finds the same split and the same first weights.
    """
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    train_images, val_images, train_labels, val_labels = train_test_split(
        images,
        torch.tensor(digits.target),
        test_size=settings.data.val_fraction,
        random_state=settings.data.seed,
        stratify=digits.target,
    )
    train = Digits(train_images, train_labels, shifted=True)
    val = Digits(val_images, val_labels, shifted=False)
    return Task(
        DigitReader(),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        # Workers (num_workers=4) pay where a row takes long to load; these come from memory.
        train=DataLoader(train, batch_size=settings.train.batch_size, shuffle=True),
        val=DataLoader(val, batch_size=256),
        # Functions of all outputs and targets; torchmetrics' objects are welcome as well.
        metrics={"val_accuracy": accuracy, "val_mistakes": mistakes},
        # Where batches or losses are of another kind, `forward=` says how the model is called:
        # a function of the model and a batch that returns what the loss takes.
    )


def mistakes(logits: Tensor, labels: Tensor) -> int:
    """How many validation images are read wrongly."""
    return int((logits.argmax(dim=1) != labels).sum())


def _shift(image: Tensor) -> Tensor:
    """The image moved by up to a pixel each way: a digit stays the same digit."""
    padded = nn.functional.pad(image, (1, 1, 1, 1))
    top, left = torch.randint(3, (2,)).tolist()
    return padded[:, top : top + 8, left : left + 8]
