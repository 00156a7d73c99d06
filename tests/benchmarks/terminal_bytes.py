"""What an open screen sends to its terminal: bytes a second, live and at rest, beside a naive one.

    python -m tests.benchmarks.terminal_bytes [SECONDS]

`epochtop watch` runs in a real pseudo-terminal of 120x36 on a run whose journal grows by 20 epochs
a second. A change of the curve is a frame: one is counted whenever cells of its pane differ from
those at the look before. Then the journal is silent, the run paused, and what still comes is
counted. The naive screen is a Textual app that redraws the same curve as a whole at the same rate,
over the whole of a terminal of the same size; a naive one at 4 Hz is told from its bytes a redraw.
"""

import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from epochtop.core import Run
from epochtop.core.events import EpochCompleted, Paused
from epochtop.core.run.journal import JournalWriter

from ..records import epoch_record, started_record, stopping_state
from ..tui.app_driver import live_run
from ..tui.terminal import Terminal, open_terminal

_COLUMNS, _ROWS = 120, 36
_EPOCHS_A_SECOND = 20
_SECONDS_AT_REST = 10.0
_SECONDS_BETWEEN_LOOKS = 0.02
# Where the curve is on a screen of 120x36: rows, and columns from 40 on.
_CURVE_ROWS, _CURVE_COLUMN = slice(1, 19), 40


@dataclass(frozen=True)
class Sent:
    """What came in a while, and how often the curve was another one."""

    seconds: float
    size: int
    frames: int

    @property
    def per_second(self) -> float:
        """Bytes a second."""
        return self.size / self.seconds

    @property
    def frames_per_second(self) -> float:
        """Redrawn curves a second."""
        return self.frames / self.seconds


def noisy_epochs(seed: int = 1) -> Iterator[EpochCompleted]:
    """A loss that falls with noise, as in real runs; patience never runs out."""
    random_numbers = random.Random(seed)  # noqa: S311 - noise
    best_loss, best_epoch, epoch = math.inf, 0, 0
    while True:
        epoch += 1
        loss = 0.3 + 2 * math.exp(-epoch / 80) + 0.05 * random_numbers.random()
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
        state = stopping_state(
            **dict.fromkeys(("best_loss", "lowest_loss", "target"), best_loss),
            **dict.fromkeys(("best_epoch", "lowest_epoch"), best_epoch),
            epochs_since_best=epoch - best_epoch,
            patience=200,
        )
        yield epoch_record(
            epoch,
            time=time.time(),
            train_loss=0.8 * loss,
            val_loss=loss,
            train_loss_eval=0.75 * loss,
            seconds=1 / _EPOCHS_A_SECOND,
            stopping=state,
        )


def watch(
    terminal: Terminal,
    seconds: float,
    journal: JournalWriter | None = None,
    epochs: Iterator[EpochCompleted] | None = None,
) -> Sent:
    """Read what a terminal gets, while a journal grows or not."""
    before, picture, frames = len(terminal.raw), "", 0
    began = time.monotonic()
    written = 0
    while (passed := time.monotonic() - began) < seconds:
        while journal and epochs and written < passed * _EPOCHS_A_SECOND:
            journal.append(next(epochs))
            written += 1
        now = curve_of(terminal)
        frames += now != picture
        picture = now
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return Sent(passed, len(terminal.raw) - before, frames)


def curve_of(terminal: Terminal) -> str:
    """The part of the screen where the curve is."""
    lines = terminal.text().split("\n")[_CURVE_ROWS]
    return "\n".join(line[_CURVE_COLUMN:] for line in lines)


def new_run(runs: Path) -> Run:
    """A run of this process that has begun and will train for long."""
    return live_run(runs, started_record(time=time.time(), epochs=4_000))


def measure_screen(runs: Path, seconds: float) -> dict[str, Sent]:
    """The screen while epochs come, live but silent, and paused."""
    run = new_run(runs)
    sent: dict[str, Sent] = {}
    with (
        JournalWriter(run.journal_path) as journal,
        open_terminal("watch", str(run.path), columns=_COLUMNS, rows=_ROWS, cwd=runs) as terminal,
    ):
        terminal.wait_for("live", "epoch 0/")
        epochs = noisy_epochs()
        sent["the first 5 s of 20 epochs a second"] = watch(terminal, 5.0, journal, epochs)
        sent["20 epochs a second"] = watch(terminal, seconds, journal, epochs)
        sent["live, journal silent (the clock runs)"] = watch(terminal, _SECONDS_AT_REST)
        journal.append(Paused(epoch=1, step=1))
        terminal.wait_for("paused")
        watch(terminal, 1.0)
        sent["paused"] = watch(terminal, _SECONDS_AT_REST)
    return sent


def measure_naive(runs: Path, seconds: float, rate: float) -> Sent:
    """A screen that redraws all of its curve, on a run of its own."""
    run = new_run(runs)
    arguments = ["-m", "tests.benchmarks.naive_screen", str(run.path), f"{rate:.3f}"]
    with (
        JournalWriter(run.journal_path) as journal,
        open_terminal(
            *arguments, columns=_COLUMNS, rows=_ROWS, cwd=Path.cwd(), program=[sys.executable]
        ) as terminal,
    ):
        terminal.wait_for("naive")
        epochs = noisy_epochs()
        watch(terminal, 5.0, journal, epochs)
        return watch(terminal, seconds, journal, epochs)


def main() -> None:
    """Print a table with a row a state of the screen."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory() as directory:
        sent = measure_screen(Path(directory), seconds)
        live = sent["20 epochs a second"]
        naive = measure_naive(Path(directory), seconds, live.frames_per_second)
    print(f"{'120x36':40} {'bytes/s':>9} {'frames/s':>9} {'bytes/frame':>12}")
    for name, each in {**sent, "naive redraw at the same rate": naive}.items():
        a_frame = f"{each.size / each.frames:.0f}" if each.frames > 1 else "-"
        print(f"{name:40} {each.per_second:9.0f} {each.frames_per_second:9.2f} {a_frame:>12}")
    # told from the rate that was asked for: on a busy machine it redraws less often, never more
    at_4_hz = 4 * naive.per_second / live.frames_per_second
    print(f"{'naive redraw at 4 Hz':40} {at_4_hz:9.0f} {4:9.2f}")
    for rate, size in (("the same rate", naive.per_second), ("4 Hz", at_4_hz)):
        print(f"share of the naive redraw's bytes at {rate}: {live.per_second / size:.3f}")


if __name__ == "__main__":
    main()
