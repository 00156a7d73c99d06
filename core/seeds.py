"""Randomness as pure functions of the seed and the epoch.

Nothing depends on what was drawn before, so a run that goes on at epoch 12 shuffles and drops
as if it had never been interrupted.
"""

import hashlib
import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random.mtrand import get_bit_generator, set_bit_generator

_SHUFFLE, _DROPOUT, _LOADING, _EVALUATION = 1, 2, 3, 4


def epoch_order(num_rows: int, *, seed: int, epoch: int) -> torch.Tensor:
    """The order in which an epoch visits the training rows: a permutation, int64, on the CPU."""
    generator = torch.Generator().manual_seed(_derive(seed, _SHUFFLE, epoch))
    return torch.randperm(num_rows, generator=generator)


def drawn_places(total: int, most: int) -> torch.Tensor:
    """So many places of a whole at most, always the same ones: int64, rising, on the CPU.

    Places that are evenly spaced may all be of one class, or at one border of an image.
    """
    if total <= most:
        return torch.arange(total)
    return torch.from_numpy(np.sort(np.random.default_rng(0).choice(total, most, replace=False)))


def loading_seed(*, seed: int, epoch: int) -> int:
    """The seed of what a loader draws in an epoch: its order, its workers, augmentation."""
    return _derive(seed, _LOADING, epoch)


def seed_training(*, seed: int, epoch: int, device: torch.device) -> None:
    """Seed the global generators for what a model draws while it trains for an epoch.

    Torch's for dropout, say; Python's and numpy's for a model, or a task's `forward`, that drops
    layers or mixes rows.
    """
    _seed_all(_derive(seed, _DROPOUT, epoch), device)


def seed_evaluation(*, seed: int, device: torch.device) -> None:
    """Seed them for a model, or a `forward`, that draws in evaluation mode too: always the same."""
    _seed_all(_derive(seed, _EVALUATION, 0), device)


def _seed_all(derived: int, device: torch.device) -> None:
    """Seed torch's generators, the CPU's and the device's, and Python's and numpy's.

    `torch.manual_seed` would also queue a call for every kind of device that is not in use, each
    with a stack trace, which costs more than a small epoch's step.
    """
    torch.default_generator.manual_seed(derived)
    if device.type == "cuda":
        torch.cuda.manual_seed_all(derived)
    elif device.type == "mps":
        torch.mps.manual_seed(derived)
    random.seed(derived)
    np.random.seed(derived % 2**32)


@dataclass(frozen=True)
class RandomState:
    """The state of torch's global generators: the CPU's, and the device's if it is another.

    `kind` is that device's: the state of one kind means nothing to another.
    """

    cpu: torch.Tensor
    device: torch.Tensor | None
    kind: str = "cpu"

    @classmethod
    def now(cls, device: torch.device) -> "RandomState":
        """Read the generators."""
        if device.type == "cuda":
            return cls(torch.get_rng_state(), torch.cuda.get_rng_state(device), "cuda")
        if device.type == "mps":
            return cls(torch.get_rng_state(), torch.mps.get_rng_state(), "mps")
        return cls(torch.get_rng_state(), None)

    def restore(self, device: torch.device) -> None:
        """Put the generators back; the device's only where it is of the same kind."""
        torch.set_rng_state(self.cpu)
        if self.device is None or self.kind != device.type:
            return
        if self.kind == "cuda":
            torch.cuda.set_rng_state(self.device, device)
        else:
            torch.mps.set_rng_state(self.device)

    def as_dict(self) -> dict[str, Any]:
        """In plain types, for a checkpoint."""
        return {"cpu": self.cpu, "device": self.device, "kind": self.kind}


def generators_now(device: torch.device) -> dict[str, Any]:
    """Where all global generators stand, torch's and Python's and numpy's, in plain types."""
    numpy = np.random.get_state(legacy=False)
    key = torch.from_numpy(numpy["state"]["key"].astype(np.int64))
    return {
        **RandomState.now(device).as_dict(),
        "python": random.getstate(),
        "numpy": {**numpy, "state": {**numpy["state"], "key": key}},
    }


def restore_generators(state: dict[str, Any], device: torch.device) -> None:
    """Put all global generators where they stood."""
    RandomState(state["cpu"], state["device"], state.get("kind", device.type)).restore(device)
    random.setstate(state["python"])
    numpy = state["numpy"]
    key = numpy["state"]["key"].numpy()
    np.random.set_state({**numpy, "state": {**numpy["state"], "key": key}})


@contextmanager
def generators_kept(device: torch.device) -> Iterator[None]:
    """Have all global generators stand afterwards where they stand now."""
    state = generators_now(device)
    try:
        yield
    finally:
        restore_generators(state, device)


class SeparateGenerators:
    """Global generators of one party's own, inside `with`.

    What is drawn inside goes on from where the last draw inside left off; outside it is as if
    nothing had been drawn.
    """

    def __init__(self, seed: int) -> None:
        self._torch = torch.Generator().manual_seed(seed).get_state()
        self._python = random.Random(seed).getstate()  # noqa: S311 - nothing secret
        self._numpy: np.random.BitGenerator = np.random.MT19937(seed)

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *_: object) -> None:
        self._swap()

    def _swap(self) -> None:
        here = torch.get_rng_state(), random.getstate(), get_bit_generator()
        torch.set_rng_state(self._torch)
        random.setstate(self._python)
        set_bit_generator(self._numpy)  # 100 times faster than its state
        self._torch, self._python, self._numpy = here


def _derive(seed: int, purpose: int, epoch: int) -> int:
    digest = hashlib.blake2b(struct.pack("<QQQ", seed, purpose, epoch), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1  # torch takes a signed 64-bit number
