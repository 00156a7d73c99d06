"""The problems, and what a contestant is given of one."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import nn

from epochtop.core import Settings, Split, build_model, load_dataset, resolve_settings

# Early stopping is on, but no training is as long as this.
_OF_ALL = ("optim.lr=0.01", "train.seed=0", "stopping.patience=100000")


class Problem(msgspec.Struct, frozen=True):
    """What to train, and how many times faster than the plain loop epochtop shall be."""

    name: str
    title: str
    overrides: tuple[str, ...]
    bars: dict[str, float]

    def settings(self, *more: str) -> Settings:
        """What epochtop is given; the other contestants follow it."""
        return resolve_settings(overrides=(*_OF_ALL, *self.overrides, *more))


@dataclass(frozen=True)
class Workload:
    """A problem ready to be trained: the rows on the CPU, the model on the settings' device."""

    settings: Settings
    train: Split
    val: Split
    model: nn.Module

    @property
    def device(self) -> torch.device:
        """Where it is trained."""
        return torch.device(self.settings.train.device)


def problems(directory: Path, device: str) -> list[Problem]:
    """The problems on a device; the data file of the last two is written into the directory.

    What is asked of epochtop is asked on a CPU.
    """
    rows = directory / "rows.npz"
    _write_rows(rows)
    seed = ("data.source=synthetic", "model.kind=linear", "train.epochs=202")
    digits = ("data.source=digits", "model.hidden=128,128", "train.epochs=32")
    large = (f"data.source={rows}", "data.target=y", "model.hidden=256,256", "train.epochs=6")
    wide = (f"data.source={rows}", "data.target=y", "model.hidden=2048,2048,2048")
    chosen = [
        Problem("seed", "seed problem, linear 10-2", seed, {"epochtop": 3.0, "compiled": 5.0}),
        Problem("digits", "digits, MLP 64-128-128-10", digits, {"epochtop": 1.8}),
        Problem(
            "large",
            "100,000 x 30, MLP 30-256-256-2, batches of 512",
            (*large, "train.batch_size=512"),
            {"epochtop": 1.8},
        ),
        Problem(
            "wide",
            "100,000 x 30, MLP 30-2048-2048-2048-2, batches of 2048",
            (*wide, "train.epochs=6", "train.batch_size=2048"),
            {},
        ),
    ]
    return [_on(device, problem) for problem in chosen]


def _on(device: str, problem: Problem) -> Problem:
    overrides = (*problem.overrides, f"train.device={device}")
    bars = problem.bars if device == "cpu" else {}
    return Problem(problem.name, problem.title, overrides, bars)


def workload(settings: Settings) -> Workload:
    """Load the data, and build the model with the first weights that epochtop gives it."""
    dataset = load_dataset(settings.data)
    model = build_model(
        settings.model,
        num_features=dataset.num_features,
        num_outputs=dataset.num_outputs,
        seed=settings.train.seed,
    )
    model.to(settings.train.device)
    return Workload(settings, dataset.train, dataset.val, model)


def _write_rows(path: Path) -> None:
    """100,000 rows of 30 standard-normal features, in two classes that a random network tells."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100_000, 30, generator=generator)
    hidden = torch.tanh(x @ torch.randn(30, 20, generator=generator) / 4)
    y = hidden @ torch.randn(20, generator=generator) > 0
    np.savez(path, x=x.numpy(), y=y.long().numpy())
