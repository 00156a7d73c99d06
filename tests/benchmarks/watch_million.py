"""How soon the screen is there: its first frame, and a run of a million epochs on it.

    python -m tests.benchmarks.watch_million [ROUNDS [EPOCHS [RUN]]]

With EPOCHS 0 only the first frame is measured. RUN is the directory of a run with a journal of so
many epochs, which is then not written anew.

Each round starts four programs in turn, each in a real pseudo-terminal of 120x36: a bare Textual
program, `epochtop`, `epochtop watch` on a run of a few epochs, and on one of EPOCHS (a million by
default; its journal of 540 MB is written first, into the system's temporary directory). The output
is only noted while they run, and shown in a terminal emulator afterwards, so that the emulator
takes them no time. All have their byte code, as installed programs have. A screen is complete with
the last bytes before a silence, and has to show the last epoch's number by then. Times are from the
start of the process, medians over the rounds; memory is the most that the process ever had
resident, and the most that it and the processes it started were seen to have together
(proportional set size: shared pages are split among them).
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pexpect
import psutil
import pyte

from epochtop.core import Run, resolve_settings
from epochtop.core.events import EpochCompleted
from epochtop.core.events import Event as Record
from epochtop.core.run.directory import create_run
from epochtop.core.run.journal import encode

from ..records import epoch_record, started_record, stopping_state
from ..tui.terminal import EPOCHTOP, terminal_environment

ROWS, COLUMNS = 36, 120
FEW_EPOCHS = 100
SILENCE_SECONDS, IDLE_SHARE, LIMIT_SECONDS = 0.8, 0.05, 60.0
BARE_PROGRAM = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("it is there")
Bare().run()
"""


@dataclass(frozen=True)
class Opened:
    """A program's output as it came, with the seconds since its start, and its memory in MiB."""

    output: tuple[tuple[float, bytes], ...]
    peak_memory: float
    peak_memory_of_all: float

    def seconds_until(self, text: str) -> float:
        """When the text was on the screen for the first time."""
        screen = pyte.Screen(COLUMNS, ROWS)
        stream: Any = pyte.ByteStream(screen)
        for seconds, data in self.output:
            stream.feed(data)
            if any(text in line for line in screen.display):
                return seconds
        shown = "\n".join(screen.display)
        raise AssertionError(f"never on the screen: {text}\n{shown}")

    @property
    def seconds_until_silence(self) -> float:
        """When the last of the output came."""
        return self.output[-1][0]


def opened(command: list[str], directory: Path) -> Opened:
    """Start a program, note what it draws until it falls silent, and end it."""
    start = time.perf_counter()
    process: Any = pexpect.spawn(
        command[0],
        command[1:],
        cwd=str(directory),
        dimensions=(ROWS, COLUMNS),
        timeout=None,
        env=_environment(),
    )
    try:
        with MemoryOfAll(process.pid) as memory:
            output = tuple(_output_of(process, start))
        return Opened(output, _peak_memory(process.pid), memory.peak)
    finally:
        process.close(force=True)


def _environment() -> dict[str, str]:
    inherited = terminal_environment()
    return {name: inherited[name] for name in inherited if name != "PYTHONDONTWRITEBYTECODE"}


class MemoryOfAll(Thread):
    """Looks ten times a second how much a process and its children have resident, in MiB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self._process = psutil.Process(pid)
        self._ended = Event()

    def run(self) -> None:
        while not self._ended.wait(0.1):
            with suppress(psutil.Error):
                family = [self._process, *self._process.children()]
                resident = sum(each.memory_full_info().pss for each in family)
                self.peak = max(self.peak, resident / 2**20)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def _output_of(process: Any, start: float) -> Iterator[tuple[float, bytes]]:
    """What a process draws, until it neither draws nor computes: a busy machine may starve it."""
    quiet_since, computed = start, 0.0
    while (now := time.perf_counter()) - start < LIMIT_SECONDS:
        try:
            data = process.read_nonblocking(1 << 16, timeout=0.05)
        except pexpect.TIMEOUT:
            data = b""
        if data:
            quiet_since = time.perf_counter()
            yield quiet_since - start, data
        elif now - quiet_since > SILENCE_SECONDS:
            before, computed = computed, _computed(process.pid)
            if computed - before < IDLE_SHARE * SILENCE_SECONDS:
                return
            quiet_since = now


def _computed(pid: int) -> float:
    """The seconds of processor time that a process and its children have taken."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children()])
    return 0.0


def _peak_memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def run_of(runs: Path, epochs: int) -> Run:
    """A run whose engine was killed after so many epochs of a noisy loss."""
    run = create_run(runs, resolve_settings())
    with run.journal_path.open("wb", buffering=1 << 20) as journal:
        for record in _records(epochs):
            journal.write(encode(record) + b"\n")
    return run


def _records(epochs: int) -> Iterable[Record]:
    noise = random.Random(1)  # noqa: S311 - a noise, not a secret
    best, best_epoch = float("inf"), 0
    yield started_record(epochs=2 * epochs)
    for epoch in range(1, epochs + 1):
        val_loss = 0.5 + 2 / (1 + 5 * epoch / epochs) + noise.gauss(0, 0.02)
        if val_loss < best:
            best, best_epoch = val_loss, epoch
        yield _epoch(epoch, val_loss, best, best_epoch, noise)


def _epoch(
    epoch: int, val_loss: float, best: float, best_epoch: int, noise: random.Random
) -> EpochCompleted:
    train_loss = val_loss - 0.1 + noise.gauss(0, 0.01)
    return epoch_record(
        epoch,
        time=1_000 + 0.004 * epoch,
        train_loss=train_loss,
        val_loss=val_loss,
        train_loss_eval=train_loss - 0.01,
        seconds=0.004,
        metrics={"val_accuracy": noise.random()},
        stopping=stopping_state(
            best_loss=best,
            best_epoch=best_epoch,
            epochs_since_best=epoch - best_epoch,
            patience=epoch,
            target=best,
            lowest_loss=best,
            lowest_epoch=best_epoch,
        ),
    )


def first_frames(directory: Path) -> dict[str, float]:
    """How soon the screen is there without a run, and a bare program's."""
    bare = opened([sys.executable, "-c", BARE_PROGRAM], directory).seconds_until("it is there")
    first = opened(EPOCHTOP, directory).seconds_until("No run yet.")
    return {
        "bare Textual program: first frame, s": bare,
        "epochtop: first frame, s": first,
        "  over the bare program's": first / bare,
    }


def whole_runs(directory: Path, few: Run, many: Run, epochs: int) -> dict[str, float]:
    """How soon runs are on the screen, and what that takes."""
    bare = opened([sys.executable, "-c", BARE_PROGRAM], directory)
    short = opened([*EPOCHTOP, "watch", str(few.path)], directory)
    long = opened([*EPOCHTOP, "watch", str(many.path)], directory)
    first_of_bare = bare.seconds_until("it is there")
    complete = long.seconds_until_silence
    return {
        f"watch {FEW_EPOCHS} epochs: complete, s": short.seconds_until_silence,
        f"watch {epochs:,} epochs: first part of it, s": long.seconds_until(f"/{2 * epochs:,}"),
        "  status line complete, s": long.seconds_until(f"epoch {epochs:,}/"),
        "  all complete, s": complete,
        "  all complete, after the bare program's first frame, s": complete - first_of_bare,
        "  peak memory, MiB": long.peak_memory,
        "  peak memory with its reading processes, MiB": long.peak_memory_of_all,
        "bare program: peak memory, MiB": bare.peak_memory,
        f"watch {FEW_EPOCHS} epochs: peak memory, MiB": short.peak_memory,
    }


def measure(directory: Path, rounds: int, epochs: int, run: Path | None) -> list[dict[str, float]]:
    """All figures, a row of them a round; what is measured was started once before."""
    opened(EPOCHTOP, directory)  # which leaves its byte code
    if not epochs:
        return [first_frames(directory) for _ in range(rounds)]
    few = run_of(directory / "few", FEW_EPOCHS)
    many = Run(run.resolve()) if run else run_of(directory / "many", epochs)
    with many.journal_path.open("rb") as journal:  # so that no round waits for the disk
        while journal.read(1 << 24):
            pass
    return [
        first_frames(directory) | whole_runs(directory, few, many, epochs) for _ in range(rounds)
    ]


def main() -> None:
    """Print a table with a row a figure."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    run = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name), rounds, epochs, run)
    print(f"{'':60} {'median':>8} {'lowest to highest':>18}")
    for row in figures[0]:
        values = [each[row] for each in figures]
        spread = f"{min(values):.2f} to {max(values):.2f}"
        print(f"{row:60} {statistics.median(values):8.2f} {spread:>18}")


if __name__ == "__main__":
    main()
