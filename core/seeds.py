"""Randomness as pure functions of the seed and the epoch.

Nothing depends on what was drawn before, so a run that goes on at epoch 12 shuffles and drops
as if it had never been interrupted.
"""

import numpy as np
import torch

_SHUFFLE, _DROPOUT = 1, 2


def epoch_order(num_rows: int, *, seed: int, epoch: int) -> torch.Tensor:
    """The order in which an epoch visits the training rows: a permutation, int64, on the CPU."""
    generator = torch.Generator().manual_seed(_derive(seed, _SHUFFLE, epoch))
    return torch.randperm(num_rows, generator=generator)


def seed_dropout(*, seed: int, epoch: int) -> None:
    """Seed torch's global generators for what an epoch draws while it trains."""
    torch.manual_seed(_derive(seed, _DROPOUT, epoch))


def _derive(seed: int, purpose: int, epoch: int) -> int:
    state = np.random.SeedSequence([seed, purpose, epoch]).generate_state(1, np.uint64)
    return int(state[0]) >> 1  # torch takes a signed 64-bit number
