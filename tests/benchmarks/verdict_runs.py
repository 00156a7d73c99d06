"""Runs of the verdict's benchmark: what an engine measured, and what it never saw."""

import math
import multiprocessing
import pickle
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from epochtop.core import resolve_settings
from epochtop.core.events import EpochCompleted, Event
from epochtop.core.training.trainer import Trainer

from .verdict_families import FAMILIES, Family, Problem

# A run goes on for half as long again, which shows whether it was still improving.
LONGER = 1.5
_PROCESSES = 2


@dataclass(frozen=True)
class LabelledRun:
    """A run of `epochs` epochs, with what came after it.

    `records` and `held_out` are of all epochs that were trained; the verdict may look at the
    first `epochs` only. `held_out` is the loss on rows that the run never saw, in evaluation mode.
    """

    family: str
    is_for_tuning: bool
    epochs: int
    records: tuple[EpochCompleted, ...]
    held_out: tuple[float, ...]
    constant: float
    bayes: float | None
    baseline: float


def runs_of(per_family: int, cache: Path | None = None, first: int = 0) -> list[LabelledRun]:
    """So many runs of each family, always the same ones; from a file where they are kept."""
    if cache is not None and cache.exists():
        kept: list[LabelledRun] = pickle.loads(cache.read_bytes())  # noqa: S301 - our own file
        return kept
    wanted = [
        (family, number) for family in FAMILIES for number in range(first, first + per_family)
    ]
    with multiprocessing.get_context("fork").Pool(_PROCESSES) as pool:
        runs = pool.starmap(_run_numbered, wanted, chunksize=4)
    if cache is not None:
        cache.write_bytes(pickle.dumps(runs))
    return runs


def _run_numbered(name: str, number: int) -> LabelledRun:
    torch.set_num_threads(1)
    family = next(each for each in FAMILIES if each.name == name)
    return trained(family, np.random.default_rng([zlib.crc32(name.encode()), number]))


def trained(family: Family, rng: np.random.Generator) -> LabelledRun:
    """Draw a problem and train it for longer than it is judged by."""
    torch.manual_seed(int(rng.integers(2**31)))
    problem = family.draw(rng)
    records: list[EpochCompleted] = []
    held_out: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, EpochCompleted):
            records.append(event)
            held_out.append(_held_out_loss(problem))

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
        family.is_for_tuning,
        min(problem.epochs, len(records)),
        tuple(records),
        tuple(held_out),
        problem.constant,
        problem.bayes,
        _baseline(problem),
    )


def _overrides(problem: Problem) -> list[str]:
    settings = {
        "train.epochs": math.ceil(LONGER * problem.epochs),
        "train.on_not_finite": "stop",
        "stopping.patience": 0,
        **problem.settings,
    }
    return [f"{name}={value}" for name, value in settings.items()]


def _held_out_loss(problem: Problem) -> float:
    problem.model.eval()
    with torch.no_grad():
        inputs, targets = problem.held_out
        return float(problem.loss(problem.model(inputs), targets))


def _baseline(problem: Problem) -> float:
    """The best constant's loss on the validation rows, as the engine gives it."""
    targets = problem.val[1]
    if targets.is_floating_point():
        return float((targets - problem.train[1].mean()).square().mean())
    classes = int(max(each.max() for _, each in (problem.train, problem.val))) + 1
    prior = torch.bincount(problem.train[1], minlength=classes).float().clamp_min(0.5)
    return float(-(prior / prior.sum()).log()[targets].mean())
