"""What a frame of the curve costs, beside plotext's own drawing of the same points.

    python -m tests.benchmarks.frame_cost [ROUNDS]

First a table: a run's columns and a view to the lines of cells, against `plotext.build()` alone of
the same points (decimated by us: without that plotext takes minutes). Medians of ROUNDS (20);
`ratio` is ours over plotext's. "first" is a frame that nothing was kept for, "next" one with up to
a thousand epochs more. Then the time from a key to the lines that `LossCurve` shows for it, within
the app, with a million epochs loaded and a thousand more arriving each second.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotext

from epochtop.tui.app import EpochtopApp
from epochtop.tui.curve import plot
from epochtop.tui.curve.columns import Columns
from epochtop.tui.curve.frame import Frame, Kept, build_frame
from epochtop.tui.curve.marks import Marks
from epochtop.tui.curve.plot import draw
from epochtop.tui.look.palette import DARK
from epochtop.tui.look.view import View
from epochtop.tui.widgets.loss_curve import LossCurve

from ..tui.curve.columns import Epochs

SIZES = ((120, 36), (160, 45))
LENGTHS = (100, 1_000, 10_000, 100_000, 1_000_000)
NEW_EPOCHS = 1_000
VIEWS = {
    "plain": View(),
    "smoothed": View(smoothing=0.9),
    "log": View(scale="log"),
    "log, smoothed, lr": View(scale="log", smoothing=0.99, right="lr"),
    "unclipped": View(clips=False),
}
KEYS = ["y", "plus", "plus", "left", "left", "right_square_bracket", "comma", "o", "a", "m", "t"]


class GrowingRun:
    """Columns in the same memory for every length, as the app's history has them."""

    def __init__(self, length: int) -> None:
        generator, room = np.random.default_rng(0), length + 200 * NEW_EPOCHS
        self._epochs = np.arange(1, room + 1)
        falling = np.exp(-5 * self._epochs / length) + 0.1
        noise = generator.lognormal(0, 0.2, (2, room))
        noise[1, :: max(50, length // 7)] *= 1e4
        self._series = {
            "train_loss": falling * noise[0],
            "val_loss": (falling + 0.1) * noise[1],
            "lr": 0.01 * falling,
        }

    def until(self, length: int) -> Columns:
        """The first epochs."""
        return Epochs(
            self._epochs[:length],
            10 * self._epochs[:length],
            self._epochs[:length].astype(float),
            {name: column[:length] for name, column in self._series.items()},
        )


def milliseconds(action: Callable[[], object]) -> float:
    """How long it takes, once."""
    start = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - start)


def lines_of(run: Columns, view: View, size: tuple[int, int], kept: Kept) -> Frame:
    """Build a frame and draw it, down to the stretches of each line."""
    frame = build_frame(run, Marks(best_epoch=1, best_loss=1.0), view, size, kept)
    assert frame is not None
    list(draw(frame, DARK).rows())
    return frame


def first_lines_of(run: Columns, view: View, size: tuple[int, int]) -> None:
    """The same without anything from a frame before, the axes neither."""
    plot.axes_picture.cache_clear()
    lines_of(run, view, size, Kept())


def build_with_plotext(frame: Frame) -> float:
    """The time of plotext's own `build()` of the points of a frame."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plot_size(frame.width, frame.height)
    for line in (*frame.right_lines, *frame.lines):
        side = "left" if line in frame.lines else "right"
        plotext.plot(line.xs.tolist(), line.ys.tolist(), marker="braille", yside=side)
    plotext.xlim(frame.x_axis.low, frame.x_axis.high)
    plotext.ylim(frame.y_axis.low, frame.y_axis.high)
    return milliseconds(plotext.build)


@dataclass(frozen=True)
class Row:
    """Medians in milliseconds."""

    first: float
    following: float
    plotext: float

    @property
    def ratio(self) -> float:
        """Ours over plotext's."""
        return self.following / self.plotext


def measure(run: GrowingRun, length: int, view: View, size: tuple[int, int], rounds: int) -> Row:
    """The cost of a first frame and of those that follow, in so many rounds."""
    whole = run.until(length)
    first = [milliseconds(lambda: first_lines_of(whole, view, size)) for _ in range(3)]
    following, kept = [], Kept()
    kept = Kept(kept.smoother, lines_of(whole, view, size, kept))
    for number in range(1, rounds + 1):
        columns = run.until(length + number * min(NEW_EPOCHS, length // 10))
        frames: list[Frame] = []
        following.append(
            milliseconds(lambda: frames.append(lines_of(columns, view, size, kept)))  # noqa: B023 - called at once
        )
        kept = Kept(kept.smoother, frames[0])
    assert kept.frame is not None
    theirs = [build_with_plotext(kept.frame) for _ in range(max(3, rounds // 4))]
    return Row(*(statistics.median(times) for times in (first, following, theirs)))


def print_frames(rounds: int) -> None:
    """Print the first table."""
    print(
        f"{'ms a frame':20} {'epochs':>9} {'size':>7} {'first':>7} {'next':>7} {'plotext':>8} ratio"
    )
    for length in LENGTHS:
        run = GrowingRun(length)
        for (name, view), size in ((item, size) for item in VIEWS.items() for size in SIZES):
            row = measure(run, length, view, size, rounds)
            times = f"{row.first:7.1f} {row.following:7.1f} {row.plotext:8.1f} {row.ratio:5.2f}"
            print(f"{name:20} {length:9,} {size[0]:>4}x{size[1]} {times}", flush=True)


class OpenCurve(LossCurve):
    """The curve of a run whose length the benchmark says; it notes when it has drawn."""

    shown_epochs: Columns | None = None
    drawn_at = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.processor_times: list[float] = []

    @property
    def columns(self) -> Columns | None:
        """The epochs so far."""
        return self.shown_epochs

    def repaint(self) -> None:
        """Draw, and note when, and the processor time that it took in milliseconds."""
        start = time.process_time()
        super().repaint()
        self.processor_times.append(1e3 * (time.process_time() - start))
        self.drawn_at = time.perf_counter()


async def key_times(length: int, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds from each key to the lines drawn for it, in the app, and processor times."""
    run, times = GrowingRun(length), []
    with tempfile.TemporaryDirectory() as directory:
        app = EpochtopApp(Path(directory))
        async with app.run_test(size=(160, 45)):
            curve = OpenCurve()
            await app.screen.mount(curve)
            curve.styles.height = 30
            curve.shown_epochs = run.until(length)
            curve.focus()
            await asyncio.sleep(0.5)
            start = time.perf_counter()
            for key in _keys(rounds):
                await asyncio.sleep(0.1)
                new = int((time.perf_counter() - start) * NEW_EPOCHS)
                curve.shown_epochs = run.until(length + new)
                times.append(await _press(app, curve, key))
            app.exit()
    return times, curve.processor_times


def _keys(rounds: int) -> Iterator[str]:
    for number in range(3 * rounds):
        yield KEYS[number % len(KEYS)]


async def _press(app: EpochtopApp, curve: OpenCurve, key: str) -> float:
    from textual import events

    before, pressed = curve.drawn_at, time.perf_counter()
    app.post_message(events.Key(key, None))
    while curve.drawn_at == before:
        await asyncio.sleep(0.0005)
        if time.perf_counter() - pressed > 5:
            raise TimeoutError(key)
    return 1e3 * (curve.drawn_at - pressed)


def main() -> None:
    """Print both."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print_frames(rounds)
    for length in (1_000, 1_000_000):
        times, processor_times = asyncio.run(key_times(length, rounds))
        print(f"{length:,} epochs and {NEW_EPOCHS:,} more a second, {len(times)} keys:")
        print(f"  from key to frame {_percentiles(times)}")
        print(f"  processor time of a frame {_percentiles(processor_times)}")


def _percentiles(times: list[float]) -> str:
    times = sorted(times)
    return f"p50 {times[len(times) // 2]:.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms"


if __name__ == "__main__":
    main()
