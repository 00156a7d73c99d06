"""From a key to the finished frame, in a real terminal, with a million epochs and more arriving.

    python -m tests.benchmarks.key_latency RUN [KEYS]

`epochtop watch` runs in a pseudo-terminal of 120x36 on a live copy of RUN, whose journal grows by a
thousand epochs a second. Each of KEYS (60) changes the whole curve; its frame is finished with the
last bytes before a short silence, once there are more than any other pane sends. A frame for new
epochs that happens to come then is counted with it.
"""

import os
import select
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

import msgspec

from epochtop.core import Run
from epochtop.core.events import EpochCompleted
from epochtop.core.run.journal import JournalWriter, read_backwards

from ..tui.app_driver import live_run
from ..tui.terminal import Terminal, open_terminal

_EPOCHS_A_SECOND = 1_000
_KEYS = "yy+[]tyty-t"
_LEAST_BYTES, _SILENCE_SECONDS, _LIMIT_SECONDS = 300, 0.02, 3.0


def live_copy(runs: Path, journal: Path) -> tuple[Run, EpochCompleted]:
    """A run of this process with a copy of a journal, and its last epoch."""
    run = live_run(runs)
    shutil.copyfile(journal, run.journal_path)
    last = next(read_backwards(run.journal_path))
    assert isinstance(last, EpochCompleted)
    return run, last


def grow(run: Run, last: EpochCompleted, ended: Event) -> None:
    """Append epochs like the last one until it is enough."""
    began, written = time.monotonic(), 0
    with JournalWriter(run.journal_path) as journal:
        while not ended.wait(0.02):
            while written < _EPOCHS_A_SECOND * (time.monotonic() - began):
                written += 1
                journal.append(
                    msgspec.structs.replace(
                        last,
                        epoch=last.epoch + written,
                        step=last.step + written,
                        time=last.time + written / _EPOCHS_A_SECOND,
                    )
                )


def milliseconds_of(terminal: Terminal, key: str) -> float | None:
    """From a key to the last bytes of its frame; None where none came."""
    descriptor = terminal.process.child_fd
    _read_until_silence(descriptor, 0)
    pressed = time.perf_counter()
    os.write(descriptor, key.encode())
    finished = _read_until_silence(descriptor, _LEAST_BYTES)
    return None if finished is None else 1e3 * (finished - pressed)


def _read_until_silence(descriptor: int, least: int) -> float | None:
    """When the last bytes came before a silence; None when there were too few of them."""
    size, last, began = 0, None, time.perf_counter()
    while time.perf_counter() - began < _LIMIT_SECONDS:
        if select.select([descriptor], [], [], _SILENCE_SECONDS)[0]:
            size += len(os.read(descriptor, 1 << 16))
            last = time.perf_counter()
        elif size >= least:
            return last
    return None


def measure(run: Run, count: int) -> list[float | None]:
    """The times of so many keys."""
    preferences = {"XDG_CONFIG_HOME": str(run.path.parent)}  # the keys are none of the user's
    with open_terminal(
        *("watch", str(run.path)),
        columns=120,
        rows=36,
        cwd=run.path.parent,
        environment=preferences,
    ) as terminal:
        terminal.wait_for("live", "samples/s")
        terminal.read()
        times = []
        for number in range(count):
            time.sleep(0.13)
            times.append(milliseconds_of(terminal, _KEYS[number % len(_KEYS)]))
        return times


def main() -> None:
    """Print the median, the 95th percentile and the longest."""
    journal = Run(Path(sys.argv[1])).journal_path
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    with tempfile.TemporaryDirectory() as directory:
        run, last = live_copy(Path(directory), journal)
        ended = Event()
        writer = Thread(target=grow, args=(run, last, ended), daemon=True)
        writer.start()
        try:
            measured = measure(run, count)
        finally:
            ended.set()
            writer.join()
    times = sorted(each for each in measured if each is not None)
    print(
        f"{last.epoch:,} epochs and {_EPOCHS_A_SECOND:,} more a second, "
        f"{len(times)} of {count} keys: from key to frame p50 {statistics.median(times):.0f} ms, "
        f"p95 {times[int(0.95 * len(times))]:.0f} ms, longest {times[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
