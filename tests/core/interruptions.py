"""Trainings that are left and gone on with in a new trainer, through a file, as after a kill."""

import copy
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from epochtop.core import Settings, Split, Trainer, load_checkpoint, resolve_settings
from epochtop.core.batches.source import Data, Forward
from epochtop.core.checkpoint.file import FORMAT, on_cpu, save_atomically
from epochtop.core.events import EpochCompleted, Event
from epochtop.core.training.interrupt import Interrupt
from epochtop.core.training.state import State

FEATURES, CLASSES = 6, 3
BuildTrainer = Callable[[], Trainer]


def settings_of(*overrides: str) -> Settings:
    """Three epochs of five batches, the last a small one, from noisy data: the loss rises too."""
    basic = ("train.epochs=3", "train.batch_size=8", "stopping.patience=0", "optim.lr=0.05")
    return resolve_settings(overrides=[*basic, *overrides])


def rows(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, FEATURES, generator=generator)
    return Split(inputs, torch.randint(CLASSES, (count,), generator=generator))


class Augmented(Dataset[tuple[Tensor, Tensor]]):
    """Rows with noise from all three of the generators that augmentation draws from."""

    def __init__(self, count: int, seed: int) -> None:
        self._split = rows(count, seed)

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        noise = torch.randn(FEATURES) * 0.1
        scale = 1 + 0.1 * random.random() + 0.1 * np.random.rand()  # noqa: S311
        return self._split.inputs[index] * scale + noise, self._split.targets[index]


class Draws(nn.Module):
    """A part of a model that draws from Python's and numpy's generators, and never stops to."""

    def forward(self, inputs: Tensor) -> Tensor:
        factor = 1 + 0.01 * torch.randn(1)  # in evaluation mode as well, as variational models do
        if self.training:
            factor = factor + 0.1 * random.random() + 0.1 * np.random.rand()  # noqa: S311
        return inputs * factor


def model_of(*, draws: bool = False) -> nn.Module:
    """Small, with all that makes going on hard: dropout and batch normalisation."""
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Linear(FEATURES, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Dropout(0.3),
        Draws() if draws else nn.Identity(),
        nn.Linear(8, CLASSES),
    )


def trainer_of(
    settings: Settings,
    *,
    train: Data | None = None,
    val: Data | None = None,
    draws: bool = False,
    loss: Callable[[Any, Tensor], Tensor] | None = None,
    forward: Forward | None = None,
) -> Trainer:
    return Trainer(
        model_of(draws=draws),
        loss or nn.CrossEntropyLoss(),
        train=train or rows(36, seed=1),
        val=val or rows(12, seed=2),
        settings=settings,
        forward=forward,
    )


def forward_that_draws(model: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
    """A task's own forward that mixes rows, in evaluation mode too."""
    inputs, targets = batch
    share = 0.2 * random.random() + 0.2 * np.random.rand()  # noqa: S311
    return model((1 - share) * inputs + share * inputs.flip(0)), targets


def shuffled_loader(**options: Any) -> "DataLoader[tuple[Tensor, Tensor]]":
    return DataLoader(Augmented(36, seed=1), batch_size=8, shuffle=True, **options)


class Ending(NamedTuple):
    """All that must not depend on whether a training was interrupted."""

    why: tuple[str, str]
    state: Any
    records: list[Any]


def train(trainer: Trainer, records: list[Event]) -> Ending:
    """Train to the end, after the records of a training that was left."""
    trainer.on_event = records.append
    why = trainer.run()
    return Ending(
        why, comparable(trainer.state()), [comparable(each) for each in standing(records)]
    )


def standing(records: Iterable[Event]) -> list[EpochCompleted]:
    """The epochs' records; of one that was trained again the last."""
    epochs = {record.epoch: record for record in records if isinstance(record, EpochCompleted)}
    return [epochs[number] for number in sorted(epochs)]


def through_a_file(state: State, directory: Path) -> State:
    """What a new process would read."""
    path = directory / "state.pt"
    content = {"format": FORMAT, "model": state["model"], "state": state}
    save_atomically(on_cpu(content), path)
    loaded: State = load_checkpoint(path)["state"]
    return loaded


def disturb_generators() -> None:
    """Leave the generators as a new process would: anywhere."""
    torch.manual_seed(99)
    random.seed(98)
    np.random.seed(97)


def left_at_every_ask(build: BuildTrainer, directory: Path) -> tuple[Ending, list[State]]:
    """Train without an interruption; the end, and the state at each of the trainer's asks."""
    states: list[State] = []

    def keep() -> None:
        states.append(through_a_file(trainer.state(), directory))

    trainer = build()
    trainer.between_steps = keep
    return train(trainer, []), states


def gone_on(build: BuildTrainer, state: State) -> Ending:
    """Go on from a state in a new trainer."""
    disturb_generators()
    trainer = build()
    trainer.load_state(copy.deepcopy(state))
    return train(trainer, [])


def interrupted_after(build: BuildTrainer, asks: Iterable[int], directory: Path) -> Ending:
    """Interrupt a training after so many asks, go on, interrupt it again, and so on to its end."""
    records: list[Event] = []
    state: State | None = None
    for number in asks:
        trainer = build()
        if state is not None:
            disturb_generators()
            trainer.load_state(state)
        trainer.between_steps = _after(number)
        ending = train(trainer, records)
        if ending.why[0] != "interrupted":
            return ending._replace(records=[comparable(each) for each in standing(records)])
        state = through_a_file(trainer.state(), directory)
    raise AssertionError("it was interrupted too often to end")


def _after(asks: int) -> Callable[[], Interrupt | None]:
    countdown = iter(range(asks, -1, -1))

    def ask() -> Interrupt | None:
        return None if next(countdown) else Interrupt("now", "interrupted", "left")

    return ask


def comparable(value: Any) -> Any:
    """A value as lists and numbers that compare to the last bit, without times."""
    if isinstance(value, EpochCompleted):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return comparable(fields)
    if isinstance(value, Tensor):
        return f"{value.dtype} {value.tolist()}"  # in which nan equals nan
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in _TIMES}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    return repr(value)


_TIMES = {"time", "seconds", "data_seconds"}
