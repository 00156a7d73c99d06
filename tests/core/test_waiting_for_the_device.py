"""A step asks the device for no number: each would wait until the device has done all before it.

Seen without a GPU: whatever waits there goes through the operators that are listed here. The
optimiser is fused, as on a GPU.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from epochtop.core import Trainer
from epochtop.core.training.measure import measure

from .interruptions import rows, settings_of, trainer_of

# Each copies to the host, or makes a tensor whose shape only the device knows.
WAITING = ("_local_scalar_dense", "equal", "nonzero", "masked_select", "_unique", "unique_dim")
READING = ("tolist", "cpu")

SETTINGS = {
    "adam": (),
    "adamw": ("optim.name=adamw", "optim.weight_decay=0.1"),
    "momentum": ("optim.name=sgd", "optim.momentum=0.9"),
    "one_cycle": ("optim.schedule=one_cycle",),
    "clipped": ("optim.clip_norm=0.5",),
    "accumulated": ("optim.accumulate=2", "optim.clip_norm=1"),
    "bf16": ("train.precision=bf16",),
    "fp16": ("train.precision=fp16",),
    "fp16 clipped": ("train.precision=fp16", "optim.clip_norm=0.5"),
}


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it untyped
    """Notes every operator that would wait for a GPU."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._waits = waits

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note it, and let it be."""
        del types
        if (name := func.overloadpacket.__name__) in WAITING:
            self._waits.append(name)
        return func(*args, **(kwargs or {}))


class Methods(TorchFunctionMode):
    """Notes what on the CPU reads its memory without an operator."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self._waits = waits

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note it, and let it be."""
        del types
        if (name := getattr(func, "__name__", "")) in READING:
            self._waits.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epochtop.core.optim.optimizer._FUSED_DEVICES", ("cpu", "cuda"))


def waits_of(work: Callable[[], object]) -> list[str]:
    waits: list[str] = []
    with Methods(waits), Operators(waits):
        work()
    return waits


def warmed_up(trainer: Trainer) -> Trainer:
    """After an epoch: what is done once, such as making the optimiser's state, is done."""
    trainer.settings = settings_of("train.epochs=1")
    trainer.fit()
    return trainer


@pytest.mark.parametrize("name", SETTINGS)
def test_whatever_the_settings_no_step_waits(name: str) -> None:
    weights = nn.CrossEntropyLoss(torch.tensor([0.5, 1.0, 2.0]), ignore_index=1)
    trainer = warmed_up(trainer_of(settings_of(*SETTINGS[name]), loss=weights))

    assert waits_of(lambda: trainer.train_epoch(2)) == []
    assert trainer.step == 2 * len(trainer.progress.counted_by_step)


def test_an_evaluation_waits_as_often_for_many_batches_as_for_one() -> None:
    """All losses are read once an epoch, and once the rows whose residuals are compared."""

    def waits(rows_at_once: int) -> list[str]:
        trainer = warmed_up(trainer_of(settings_of(), val=rows(96, 2)))
        for source in (trainer.train, trainer.val, trainer.train_sample):
            source.evaluation_rows = rows_at_once  # type: ignore[union-attr]
        trainer.train_epoch(2)
        measure(trainer, 2)  # the first one in which rows are paired
        return waits_of(lambda: measure(trainer, 2))

    assert waits(rows_at_once=4) == waits(rows_at_once=96) == ["cpu", "equal", "tolist"]


def test_what_waits_is_seen() -> None:
    loss = torch.ones((), requires_grad=True)
    for wait in (loss.item, loss.cpu, loss.tolist, lambda: bool(loss), loss.nonzero):
        assert waits_of(wait)
