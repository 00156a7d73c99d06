"""One run in training: what connects its trainer with journal, checkpoints and the outside."""

import gc
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import EpochtopError
from ..events import Event, FinishReason, RunFinished, RunResumed, Warned
from ..run.directory import Run
from ..run.journal import JournalReader, JournalWriter
from .doorbell import doorbell
from .live_control import LiveControl
from .out_of_memory import sentence_of
from .signals import SignalFlag
from .verdict_watch import VerdictWatch

if TYPE_CHECKING:
    from ..checkpoint.checkpoints import Checkpoints
    from ..training.trainer import Trainer
    from .preparation import Preparation

OnEvent = Callable[[Event], None]


def nobody(_: Event) -> None:
    """Listens to nothing."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and the exit code that says so."""

    run: Run
    finished: RunFinished
    exit_code: int


class Engine:
    """One run in training: its journal, its signals, and who else hears of its events."""

    def __init__(
        self, run: Run, flag: SignalFlag, journal: JournalWriter, listener: OnEvent
    ) -> None:
        self._run = run
        self._flag = flag
        self._journal = journal
        self._listener = listener
        self._control = LiveControl(run, flag, self._emit)
        self._checkpoints: Checkpoints | None = None
        self._verdicts = VerdictWatch(self._emit)
        self._one_at_a_time = threading.RLock()

    def records_of_start(self, preparation: "Preparation") -> list[Event]:
        """What a new run's journal begins with."""
        from .preparation import describe_start

        warned = [Warned(message=message) for message in preparation.warnings]
        return [describe_start(self._run, preparation), *warned]

    def train(
        self,
        preparation: "Preparation",
        records: Sequence[Event],
        resumed_at: float | None = None,
    ) -> Outcome:
        """Train to the end, whichever it is, and save what was learnt.

        Args:
            preparation: what to train.
            records: what the journal has to say first.
            resumed_at: when somebody wanted the run to go on, None for a new one.
        """
        trainer = preparation.trainer
        for record in records:
            self._emit(record)
        try:
            self._attach(trainer, resumed_at)
            self._remember_journal()
            with (
                _warnings_as_events(self._emit),
                _garbage_set_aside(),
                doorbell(self._run, self._control, self._emit),
            ):
                reason, message = trainer.run()
        except EpochtopError as error:
            reason, message = "failed", str(error)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it was, the journal says so
            reason, message = self._why_it_failed(error)
        self._save_at_end()
        self._conclude()
        return self.end(finished_record(reason, message, trainer), self._exit_code(reason))

    def end(self, finished: RunFinished, exit_code: int) -> Outcome:
        """Write the run's last record."""
        self._emit(finished)
        self._journal.sync()
        return Outcome(self._run, finished, exit_code)

    def log_traceback(self, error: BaseException) -> str:
        """Keep an error's traceback for those who can read it; the sentence for the others."""
        sentence = sentence_of(error)
        try:
            with self._run.log_path.open("a", encoding="utf-8") as log:
                traceback.print_exception(error, file=log)
        except OSError:  # the disk is full, say: what the sentence tells has to do
            return sentence
        return f"{sentence} (see {self._run.log_path.name})"

    def _why_it_failed(self, error: BaseException) -> tuple[FinishReason, str]:
        """An error, unless it comes of the signal that was to end the run.

        One to the whole group of processes ends a loader's workers as well, and their end may be
        noticed before the signal is asked for.
        """
        message = self.log_traceback(error)
        if self._flag.received is None:
            return "failed", message
        return "interrupted", f"ended by {self._flag.received.name}"

    def _attach(self, trainer: "Trainer", resumed_at: float | None) -> None:
        """Connect the trainer with the journal, the checkpoints and the outside."""
        from ..checkpoint.checkpoints import Checkpoints, load_best

        best = load_best(self._run, lambda message: self._emit(Warned(message=message)))
        self._checkpoints = Checkpoints(self._run, trainer, self._emit, best)
        self._control.attach(trainer, self._checkpoints)
        trainer.on_event = self._hear
        trainer.between_steps = self._control
        if resumed_at is not None:
            self._control.take_leftover_changes(before=resumed_at)

    def _hear(self, event: Event) -> None:
        """Write down what the trainer reports; first of all keep what it has gone back to.

        A checkpoint of an earlier epoch would have to go on with the rate of that time.
        """
        if isinstance(event, RunResumed) and self._checkpoints is not None:
            self._checkpoints.write_now()
        self._emit(event)
        try:
            self._verdicts.hear(event)
        except Exception as error:  # noqa: BLE001 - a verdict is not worth the training
            self._verdicts.give_up()
            self._emit(Warned(message=f"no more verdicts: {self.log_traceback(error)}"))

    def _remember_journal(self) -> None:
        """Have the verdict rest on how the run began, and on the epochs of earlier processes."""
        for records in JournalReader(self._run.journal_path).chunks():
            self._verdicts.remember(records)

    def _conclude(self) -> None:
        try:
            self._verdicts.conclude()
        except Exception as error:  # noqa: BLE001 - the run still has to have its last record
            self._emit(Warned(message=f"no verdict at the end: {self.log_traceback(error)}"))

    def _save_at_end(self) -> None:
        try:
            if self._checkpoints is not None:
                self._checkpoints.write_at_end()
        except Exception as error:  # noqa: BLE001 - the run still has to have its last record
            self._emit(Warned(message=f"weights were not saved: {self.log_traceback(error)}"))

    def _emit(self, event: Event) -> None:
        with self._one_at_a_time:  # training and doorbell
            self._journal.append(event)
            try:
                self._listener(event)
            except Exception as error:  # noqa: BLE001 - who only listens must not end the training
                self._listener = nobody
                text = f"what prints the run failed: {self.log_traceback(error)}"
                self._emit(Warned(message=text))

    def _exit_code(self, reason: FinishReason) -> int:
        if reason == "interrupted" and self._flag.received is not None:
            return 128 + self._flag.received
        return 1 if reason in ("failed", "not_finite") else 0


@contextmanager
def _garbage_set_aside() -> Iterator[None]:
    """Have the garbage collector look at what training makes, not at all of torch again and again.

    It costs a small model several percent of its speed.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _warnings_as_events(emit: OnEvent) -> Iterator[None]:
    """Put what Python warns of into the journal, each place in the code once."""

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        emit(Warned(message=f"{category.__name__}: {message}"))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def finished_record(reason: FinishReason, message: str, trainer: "Trainer | None") -> RunFinished:
    """How a run ended, as its last record has it; without a trainer it never trained."""
    if trainer is None:
        return RunFinished(reason=reason, epoch=0, best_epoch=None, best_loss=None, message=message)
    stopping = trainer.rule_state.stopping
    return RunFinished(
        reason=reason,
        epoch=trainer.epoch,
        best_epoch=stopping.lowest_epoch,
        best_loss=stopping.lowest_loss,
        message=message,
    )
