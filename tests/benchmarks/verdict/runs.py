"""Runs of the verdict's benchmark: what an engine measured, and what it never saw."""

import math
import multiprocessing
import pickle
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from epochtop.core import resolve_settings
from epochtop.core.data.dataset import Split
from epochtop.core.events import EpochCompleted, Event
from epochtop.core.training.trainer import Trainer
from epochtop.core.training.yardsticks import measured_yardsticks
from epochtop.core.verdict.curves import Curves, Yardsticks, curves_of

from .confirming import CONFIRMING
from .held_out import HeldOut
from .problem import Family, Problem
from .tuning import TUNING
from .unseen import UNSEEN

# A run goes on for half as long again, which shows whether it was still improving.
LONGER = 1.5
_PROCESSES = 2
_FAMILIES = {family.name: family for family in (*TUNING, *UNSEEN, *CONFIRMING)}


@dataclass(frozen=True)
class LabelledRun:
    """A run of `epochs` epochs, with what came after it.

    `records` and `held_out` are of all epochs that were trained; the verdict may look at the
    first `epochs` only. `held_out` is the loss on rows that the run never saw, in evaluation mode;
    `rise_errors` is the standard error of its difference from the lowest so far by these rows, and
    `fall_error` that of the lowest after `epochs` from the one then.
    """

    family: str
    is_for_tuning: bool
    epochs: int
    records: tuple[EpochCompleted, ...]
    held_out: tuple[float, ...]
    rise_errors: tuple[float, ...]
    fall_error: float
    constant: float
    bayes: float | None
    yardsticks: Yardsticks
    num_val: int

    def curves(self, epochs: int) -> Curves:
        """The curves of its first epochs."""
        return curves_of(self.records[:epochs], self.yardsticks)

    def bare_curves(self, epochs: int) -> Curves:
        """The same, as a journal has them that knows of two losses and nothing else."""
        return curves_of(
            [
                EpochCompleted(epoch=each.epoch, train_loss=each.train_loss, val_loss=each.val_loss)
                for each in self.records[:epochs]
            ]
        )


def runs_of(
    per_family: int,
    cache: Path | None = None,
    *,
    first: int = 0,
    families: Iterable[str] = _FAMILIES,
) -> list[LabelledRun]:
    """So many runs of each family from the first on, always the same ones; or those in a file."""
    if cache is not None and cache.exists():
        kept: list[LabelledRun] = pickle.loads(cache.read_bytes())  # noqa: S301 - our own file
        return kept
    numbers = range(first, first + per_family)
    wanted = [(name, number) for name in families for number in numbers]
    with multiprocessing.get_context("fork").Pool(_PROCESSES) as pool:
        runs = pool.starmap(_run_numbered, wanted, chunksize=4)
    if cache is not None:
        cache.write_bytes(pickle.dumps(runs))
    return runs


def _run_numbered(name: str, number: int) -> LabelledRun:
    torch.set_num_threads(1)
    return trained(_FAMILIES[name], np.random.default_rng([zlib.crc32(name.encode()), number]))


def trained(family: Family, rng: np.random.Generator) -> LabelledRun:
    """Draw a problem and train it for longer than it is judged by."""
    torch.manual_seed(int(rng.integers(2**31)))
    problem = family.draw(rng)
    records: list[EpochCompleted] = []
    held_out = HeldOut(problem)

    def note(event: Event) -> None:
        if isinstance(event, EpochCompleted):
            records.append(event)
            held_out.measure()

    trainer = Trainer(
        problem.model,
        problem.loss,
        train=problem.train,
        val=problem.val,
        settings=resolve_settings(overrides=_overrides(problem)),
        on_event=note,
        keep_history=False,
    )
    trainer.run()
    return LabelledRun(
        family.name,
        family in TUNING,
        min(problem.epochs, len(records)),
        tuple(records),
        tuple(held_out.losses),
        tuple(held_out.rise_errors),
        held_out.fall_error,
        problem.constant,
        problem.bayes,
        measured_yardsticks(
            problem.loss, Split(*problem.train), Split(*problem.val), trainer.output_shape
        ),
        len(problem.val[0]),
    )


def _overrides(problem: Problem) -> list[str]:
    settings = {
        "train.epochs": math.ceil(LONGER * problem.epochs),
        "train.on_not_finite": "stop",
        "stopping.patience": 0,
        **problem.settings,
    }
    return [f"{name}={value}" for name, value in settings.items()]
