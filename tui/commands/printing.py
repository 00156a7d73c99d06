"""A run as lines of text: what `train` prints, and `watch` without a terminal."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ...core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    RunFinished,
    RunResumed,
    Stopping,
    VerdictChanged,
)
from ...core.run.directory import Run
from ...core.run.journal import JournalReader, encode
from ...core.run.status import RunStatus, summarise
from ..following.state import RunState, reduce
from ..look.view import View
from ..words import wording
from ..words.event_wording import event_text
from ..words.stopping_wording import new_best_text, rule_text, stopping_text
from ..words.summary import summary_lines
from . import output

if TYPE_CHECKING:
    from ..curve.frame import Frame
    from ..curve.marks import Marks
    from ..look.palette import Palette

_SECONDS_BETWEEN_PROGRESS_LINES = 0.1
_CURVE_WIDTH, _CURVE_HEIGHT = 100, 20

Printer = Callable[[Event], None]


def print_json(event: Event) -> None:
    """Print a record as its line in the journal."""
    output.write_json(encode(event))


class LinePrinter:
    """Prints a line an epoch; on a terminal one line that is redrawn; at the end a summary.

    Args:
        run: what is printed.
        state: how it stands before the first event, of a run that goes on.
    """

    def __init__(self, run: Run, state: RunState | None = None) -> None:
        self._run = run
        self._state = state or RunState()
        self._redraws = output.is_terminal()
        self._next_progress = 0.0
        output.write_line(f"run {run.path}")

    def __call__(self, event: Event) -> None:
        """Print what there is to say of an event."""
        before, told = self._state.stopping, self._state.verdict
        self._state = reduce(self._state, [event])
        match event:
            case EpochCompleted():
                self._print_epoch(event, before)
            case RunFinished():
                self._print_end(event)
            case VerdictChanged() if told is not None and told.verdict == event.verdict:
                pass  # the summary has it again
            case CheckpointSaved(by="time" | "end"):
                pass  # the summary names the file
            case _:
                self._print_words(event)

    def _print_epoch(self, record: EpochCompleted, before: Stopping | None) -> None:
        line = _epoch_line(record, self._state.num_epochs)
        if not self._redraws:
            output.write_line(line + _mark(record, before))
        elif time.monotonic() >= self._next_progress:
            self._redraw(line + _left(self._state))
            self._next_progress = time.monotonic() + _SECONDS_BETWEEN_PROGRESS_LINES

    def _print_words(self, event: Event) -> None:
        if text := event_text(event):
            if self._redraws:
                self._redraw("")
            output.write_line(text)

    def _print_end(self, event: RunFinished) -> None:
        if self._redraws:
            self._redraw("")
        print_summary(self._run, self._state, RunStatus("finished", event.reason))

    def _redraw(self, line: str) -> None:
        """Write over the terminal's last line, cut to its width."""
        output.redraw_line(line, shutil.get_terminal_size().columns - 1)


def print_summary(run: Run, state: RunState, status: RunStatus) -> None:
    """Print how a run went, its curve, and where its files are."""
    if curve := curve_text(state):
        output.write_ansi(f"\n{curve}\n")
    for line in summary_lines(state, status):
        output.write_line(line)
    for line in file_lines(run, state):
        output.write_line(line)


def file_lines(run: Run, state: RunState) -> list[str]:
    """Where the weights are, those to keep first."""
    saved = state.saved if state.keeps_best else dict(reversed(state.saved.items()))
    lines = [
        f"{kind} weights (epoch {checkpoint.epoch}): {run.path / checkpoint.path}"
        for kind, checkpoint in saved.items()
    ]
    return [f"{lines[0]}  <- the ones to keep", *lines[1:]] if lines else []


def curve_text(state: RunState, marks: "Marks | None" = None) -> str | None:
    """The loss curve for stdout, in colour where it shows colour; None without an epoch.

    Args:
        state: the run.
        marks: what to mark instead of what the run itself says.
    """
    from ..curve import plot
    from ..curve.frame import build_frame
    from ..curve.marks import marks_of
    from ..look import palette

    width = min(shutil.get_terminal_size((_CURVE_WIDTH, 0)).columns, _CURVE_WIDTH)
    size = max(width, plot.MIN_WIDTH), _CURVE_HEIGHT
    frame = build_frame(state.history, marks or marks_of(state), View(), size)
    if frame is None:
        return None
    colours = palette.DARK if output.wants_colour() else palette.PLAIN
    lines = [plot.legend(colours), plot.draw(frame, colours).text(colours)]
    return "\n".join([*lines, *_notes(frame, state, colours)])


def _notes(frame: "Frame", state: RunState, colours: "Palette") -> list[str]:
    """What the picture does not show as it is: values beyond it, losses that were no numbers."""
    from ..curve.caveats import caveats
    from ..curve.marks import marks_of

    words = caveats(frame, marks_of(state), View(), colours)
    return ["".join(text for text, _ in each) for each in words]


def follow_lines(run: Run, printer: Printer, *, poll_seconds: float = 0.1) -> RunStatus:
    """Print a run's events as they come, until it has ended; of a killed one how it stands."""
    reader = JournalReader(run.journal_path)
    while True:
        summary = summarise(run)
        for event in _without_earlier_ends(reader.read()):
            printer(event)
        if not summary.status.is_live:
            if summary.finished is None:
                output.write_line(wording.status_text(summary.status))
            return summary.status
        time.sleep(poll_seconds)


def _without_earlier_ends(events: Sequence[Event]) -> Iterator[Event]:
    """The events without the ends that the run went on from: a summary tells of the last one."""
    resumed = [index for index, event in enumerate(events) if isinstance(event, RunResumed)]
    last_resumed = resumed[-1] if resumed else -1
    for index, event in enumerate(events):
        if index > last_resumed or not isinstance(event, RunFinished):
            yield event


def _epoch_line(record: EpochCompleted, num_epochs: int | None) -> str:
    width = len(str(num_epochs or ""))
    of = "" if num_epochs is None else f"/{num_epochs}"
    metrics = "".join(
        f"  {name} {wording.loss_text(value)}" for name, value in record.metrics.items()
    )
    return (
        f"epoch {record.epoch:>{width}}{of}"
        f"  train {wording.loss_text(record.train_loss):<10}"
        f"  val {wording.loss_text(record.val_loss):<10}{metrics}"
    )


def _mark(record: EpochCompleted, before: Stopping | None) -> str:
    if record.stopping.best_epoch == record.epoch:
        return f"  {new_best_text(record.stopping, before)}"
    stopping = record.stopping
    if not stopping.is_known:
        return ""
    left = f", {rule_text(stopping)}" if stopping.patience or stopping.limit is not None else ""
    return f"  {stopping.epochs_since_best} since best{left}"


def _left(state: RunState) -> str:
    stopping = f"  {stopping_text(state.stopping)}" if state.stopping else ""
    seconds = state.seconds_left
    left = "" if seconds is None else f"  at most {wording.duration_text(seconds)} left"
    return stopping + left
