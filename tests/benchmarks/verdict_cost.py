"""What the verdict costs the training: epochs a second with it over without it.

    python -m tests.benchmarks.verdict_cost [ROUNDS]

Each round trains the seed problem twice with journal and checkpoints on, once as it is and once
with nothing compared row by row and nothing judged, in an order that alternates. The time is from
the first epoch's record to the last one's.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from epochtop.core import resolve_settings
from epochtop.core.engine.engine import Outcome
from epochtop.core.engine.process import train_here
from epochtop.core.engine.verdict_watch import VerdictWatch
from epochtop.core.events import EpochCompleted
from epochtop.core.loss.loss_sum import LossSum
from epochtop.core.training.paired import PairedLosses
from epochtop.core.training.unlearnt import UnlearntShare

from ..core.engines import events_of

_SEED_PROBLEM = ("data.source=synthetic", "model.kind=linear", "stopping.patience=0")


@contextmanager
def without_verdict() -> Iterator[None]:
    """No row's own losses and residuals, and nobody who judges."""
    nothing = mock.patch.multiple(
        PairedLosses,
        add=lambda *_: None,
        compare=lambda *_: (LossSum(), LossSum()),
        keep=lambda *_, **__: None,
    )
    nobody = mock.patch.multiple(VerdictWatch, hear=lambda *_: None, conclude=lambda _: None)
    with nothing, nobody, mock.patch.object(UnlearntShare, "begin"):
        yield


def epochs_per_second(runs: Path, epochs: int) -> float:
    """Train once; the speed after the first epoch."""
    settings = resolve_settings(overrides=[*_SEED_PROBLEM, f"train.epochs={epochs}"])
    outcome = train_here(settings, runs, None, lambda _: lambda _: None)
    assert isinstance(outcome, Outcome)
    times = [each.time for each in events_of(outcome.run) if isinstance(each, EpochCompleted)]
    return (len(times) - 1) / (times[-1] - times[0])


def main() -> None:
    """Print the ratio's median and spread."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    ratios, speeds = [], []
    with tempfile.TemporaryDirectory() as name:
        epochs_per_second(Path(name), 200)  # loads torch
        for number in range(rounds):
            speed: dict[bool, float] = {}
            for has_verdict in (True, False) if number % 2 else (False, True):
                if has_verdict:
                    speed[True] = epochs_per_second(Path(name), 1500)
                    continue
                with without_verdict():
                    speed[False] = epochs_per_second(Path(name), 1500)
            ratios.append(speed[True] / speed[False])
            speeds.append(speed[True])
    print(f"seed problem: {statistics.median(speeds):.0f} epochs a second with the verdict")
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
    print(f"over those without: {statistics.median(ratios):.3f} (lowest to highest {spread})")


if __name__ == "__main__":
    main()
