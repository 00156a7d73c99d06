"""What an open screen costs the training: epochs a second with the screen over without it.

    python -m tests.benchmarks.screen_cost [ROUNDS]

Each round trains the same run twice on this machine, once alone and once with `epochtop watch`
open on it in a real pseudo-terminal of 120x36 whose output is read all the time, in an order that
alternates. The time is the engine's own, from the first epoch's record to the last one's, so that
loading torch does not count. 1.0 means that the screen costs nothing.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from epochtop.core import Run
from epochtop.core.events import EpochCompleted

from ..core.engines import events_of, start_engine
from ..tui.terminal import Terminal, open_terminal
from ..waiting import wait_for

# Each long enough for a screen to draw some dozens of pictures.
PROBLEMS: dict[str, Sequence[str]] = {
    "seed problem (synthetic, linear)": (
        *("data.source=synthetic", "model.kind=linear", "train.epochs=1500"),
    ),
    "digits, MLP 64-128-128-10": ("data.source=digits", "model.hidden=128,128", "train.epochs=400"),
}


def epochs_per_second(runs: Path, overrides: Sequence[str], *, with_screen: bool) -> float:
    """Train one run; its speed after the first epoch."""
    run, engine = start_engine(runs, *overrides, "stopping.patience=0")
    with ExitStack() as stack:
        terminal: Terminal | None = None
        if with_screen:
            terminal = stack.enter_context(
                open_terminal("watch", str(run.path), columns=120, rows=36, cwd=runs)
            )
        wait_for(lambda: _has_ended(engine, terminal), "the end of the run")
        if terminal is not None:
            terminal.wait_for("completed")
    return _speed(run)


def _has_ended(engine: "subprocess.Popen[bytes]", terminal: Terminal | None) -> bool:
    if terminal is not None:
        terminal.read()
    return engine.poll() is not None


def _speed(run: Run) -> float:
    records = [event for event in events_of(run) if isinstance(event, EpochCompleted)]
    return (len(records) - 1) / (records[-1].time - records[0].time)


def main() -> None:
    """Print a table with a row a problem."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    head = f"{'epochs a second':34} {'alone':>9} {'with screen':>12}"
    print(f"{head} {'ratio':>7} {'lowest to highest':>18}")
    for problem, overrides in PROBLEMS.items():
        pairs = [measure_pair(overrides, screen_first=bool(n % 2)) for n in range(rounds)]
        ratios = [with_screen / alone for alone, with_screen in pairs]
        alone, with_screen = (statistics.median(column) for column in zip(*pairs, strict=True))
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        ratio = statistics.median(ratios)
        print(f"{problem:34} {alone:9.1f} {with_screen:12.1f} {ratio:7.3f} {spread:>18}")


def measure_pair(overrides: Sequence[str], *, screen_first: bool) -> tuple[float, float]:
    """The speed alone and with the screen, one after the other."""
    with tempfile.TemporaryDirectory() as directory:
        speeds = {
            with_screen: epochs_per_second(Path(directory), overrides, with_screen=with_screen)
            for with_screen in (screen_first, not screen_first)
        }
    return speeds[False], speeds[True]


if __name__ == "__main__":
    main()
