"""How soon a live engine answers in its journal what it is asked for, within a long epoch.

    python -m tests.benchmarks.control_latency [TIMES]

A real engine is in an epoch that never ends. Each command is sent so many times, at moments that
do not depend on the engine's; the time is from the call to the answer's line in the journal, in
milliseconds. `write_if_due` goes on meanwhile, as ever. The engine looks for commands ten times a
second.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from epochtop.core import JournalReader, Run
from epochtop.core.engine.launch import launch
from epochtop.core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    Paused,
    Resumed,
    SettingChanged,
    StopRequested,
)
from epochtop.core.run.control import (
    Change,
    Command,
    Pause,
    SaveCheckpoint,
    Stop,
    Unpause,
    send_command,
)
from epochtop.core.run.directory import create_run
from epochtop.core.settings.toml_file import resolve_settings

from ..core import endless_epoch
from ..core.engines import events_of
from ..waiting import wait_for

_SECONDS_BETWEEN_READS = 0.0005
COMMANDS: dict[str, tuple[Command, type[Event]]] = {
    "checkpoint": (SaveCheckpoint(), CheckpointSaved),
    "change lr": (Change("optim.lr", 0.001), SettingChanged),
    "change patience": (Change("stopping.patience", 20), SettingChanged),
    "pause": (Pause(), Paused),
    "unpause": (Unpause(), Resumed),
    "stop after the epoch": (Stop("epoch"), StopRequested),
}


def milliseconds_to_answer(run: Run, command: Command, answer: type[Event]) -> float:
    """Send a command and wait for its record."""
    time.sleep(random.uniform(0.0, 0.15))  # noqa: S311 - any moment of the engine's
    reader = JournalReader(run.journal_path, from_end=True)
    began = time.perf_counter()
    send_command(run, command)
    while not any(_answers(event, answer) for event in reader.read()):
        time.sleep(_SECONDS_BETWEEN_READS)
    return 1000 * (time.perf_counter() - began)


def _answers(event: Event, answer: type[Event]) -> bool:
    by_itself = isinstance(event, CheckpointSaved) and event.by != "request"
    return isinstance(event, answer) and not by_itself


def measure(times: int) -> dict[str, list[float]]:
    """Send every command so many times, each with all others in between."""
    settings = resolve_settings(overrides=[f"task={endless_epoch.__file__}:build"])
    with tempfile.TemporaryDirectory() as directory:
        run = create_run(Path(directory), settings)
        engine = launch(run)
        try:
            # before the first step a checkpoint is answered by a warning: there is nothing to keep
            wait_for((run.path / "last.pt").exists, "a first checkpoint")
            latencies: dict[str, list[float]] = {name: [] for name in COMMANDS}
            for _ in range(times):
                for name, (command, answer) in COMMANDS.items():
                    latencies[name].append(milliseconds_to_answer(run, command, answer))
            assert not any(isinstance(event, EpochCompleted) for event in events_of(run))
        finally:
            engine.kill()
            engine.wait()
    return latencies


def main() -> None:
    """Print a table with a row a command."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    print(f"{'milliseconds to the answer':30} {'p50':>7} {'p95':>7} {'max':>7}")
    everything: list[float] = []
    for name, latencies in measure(times).items():
        everything += latencies
        print(_row(name, latencies))
    print(_row("all", everything))


def _row(name: str, latencies: list[float]) -> str:
    hundredths = statistics.quantiles(latencies, n=100, method="inclusive")
    return f"{name:30} {hundredths[49]:7.1f} {hundredths[94]:7.1f} {max(latencies):7.1f}"


if __name__ == "__main__":
    main()
