"""The engine: a process that trains one run and writes down what happens.

    settings -> data, model -> trainer -> events -> journal, checkpoints -> one run_finished

`python -m epochtop.core.engine RUN_DIRECTORY` trains a run that `launch` has created; `train_here`
does the same in the caller's process. Signals are looked after before torch is loaded, so that
a run of `launch` that is ended while it starts says so, too.
"""

import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import EpochtopError
from .events import EpochCompleted, Event, FinishReason, RunFinished, Warned
from .interruption import Interruption, SignalFlag, ending_signals
from .journal import JournalWriter
from .run import Run, create_run
from .settings import Settings
from .settings_file import read_settings
from .status import engine_process, write_engine_process

if TYPE_CHECKING:
    from .checkpoint import Checkpoints
    from .preparation import Preparation
    from .trainer import Trainer

OnEvent = Callable[[Event], None]


def _nobody(_: Event) -> None:
    """Listens to nothing."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and the exit code that says so."""

    run: Run
    finished: RunFinished
    exit_code: int


def train_here(
    settings: Settings, runs: Path, name: str | None, on_start: Callable[[Run], OnEvent]
) -> Outcome | signal.Signals:
    """Train a new run in this process.

    The data are loaded before the run's directory is created: wrong data leave nothing behind.

    Args:
        settings: what to train.
        runs: where to create the run.
        name: what to call it.
        on_start: is given the run; returns who is told of its events.

    Returns:
        How the run ended; the signal when one came before it began.

    Raises:
        EpochtopError: the settings or the data are wrong, or the run cannot be created.
    """
    with ending_signals() as flag:
        preparation = _prepare(settings)
        if flag.received is not None:
            return flag.received
        run = create_run(runs, settings, name)
        write_engine_process(run, engine_process())
        with JournalWriter(run.journal_path) as journal:
            return _Engine(run, flag, journal, on_start(run)).train(preparation)


def train_run(run: Run) -> Outcome:
    """Train a run whose directory exists; whatever goes wrong is in its journal."""
    with ending_signals() as flag, JournalWriter(run.journal_path) as journal:
        write_engine_process(run, engine_process())
        engine = _Engine(run, flag, journal)
        try:
            preparation = _prepare(read_settings(run.settings_path))
        except EpochtopError as error:
            return engine.end(_finished("failed", str(error), None), exit_code=2)
        except Exception as error:  # noqa: BLE001 - whatever it was, the journal says so
            return engine.end(_finished("failed", engine.log_traceback(error), None), exit_code=1)
        return engine.train(preparation)


def main() -> int:
    """Train the run whose directory is the one argument."""
    return train_run(Run(Path(sys.argv[1]).absolute())).exit_code


class _Engine:
    """One run in training: its journal, its signals, and who else hears of its events."""

    def __init__(
        self,
        run: Run,
        flag: SignalFlag,
        journal: JournalWriter,
        listener: OnEvent = _nobody,
    ) -> None:
        self._run = run
        self._flag = flag
        self._journal = journal
        self._listener = listener
        self._trainer: Trainer | None = None
        self._checkpoints: Checkpoints | None = None

    def train(self, preparation: "Preparation") -> Outcome:
        """Train to the end, whichever it is, and save what was learnt."""
        try:
            reason, message = self._fit(preparation)
        except Exception as error:  # noqa: BLE001 - whatever it was, the journal says so
            reason, message = "failed", self.log_traceback(error)
        try:
            self._save_at_end()
        except Exception as error:  # noqa: BLE001 - the run still has to have its last record
            self._emit(Warned(message=f"weights were not saved: {self.log_traceback(error)}"))
        finished = _finished(reason, message, self._trainer)
        return self.end(finished, self._exit_code(reason))

    def end(self, finished: RunFinished, exit_code: int) -> Outcome:
        """Write the run's last record."""
        self._emit(finished)
        self._journal.sync()
        return Outcome(self._run, finished, exit_code)

    def log_traceback(self, error: BaseException) -> str:
        """Keep an error's traceback for those who can read it; the sentence for the others."""
        try:
            with self._run.log_path.open("a", encoding="utf-8") as log:
                traceback.print_exception(error, file=log)
        except OSError:  # the disk is full, say: what the sentence tells has to do
            return f"{type(error).__name__}: {error}"
        return f"{type(error).__name__}: {error} (see {self._run.log_path.name})"

    def _fit(self, preparation: "Preparation") -> tuple[FinishReason, str]:
        from .checkpoint import Checkpoints
        from .preparation import describe_start

        # built first: what torch sets up for its first optimiser is not time of training
        self._trainer = self._build_trainer(preparation)
        self._emit(describe_start(self._run, preparation))
        for message in (*preparation.warnings, *preparation.dataset.warnings):
            self._emit(Warned(message=message))
        self._checkpoints = Checkpoints(self._run, self._trainer, self._emit)
        with _warnings_as_events(self._emit):
            return self._trainer.run()

    def _save_at_end(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.write_at_end()

    def _build_trainer(self, preparation: "Preparation") -> "Trainer":
        from .trainer import Trainer

        return Trainer(
            preparation.model,
            preparation.loss,
            train=preparation.train,
            val=preparation.val,
            settings=preparation.settings,
            metrics=preparation.metrics,
            on_event=self._emit_and_save,
            interrupt=Interruption(self._run, self._flag, self._emit),
            keep_history=False,
        )

    def _emit_and_save(self, event: Event) -> None:
        self._emit(event)
        if isinstance(event, EpochCompleted) and self._checkpoints is not None:
            self._checkpoints.write_if_due()

    def _emit(self, event: Event) -> None:
        self._journal.append(event)
        try:
            self._listener(event)
        except Exception as error:  # noqa: BLE001 - who only listens must not end the training
            self._listener = _nobody
            self._emit(Warned(message=f"what prints the run failed: {self.log_traceback(error)}"))

    def _exit_code(self, reason: FinishReason) -> int:
        if reason == "interrupted" and self._flag.received is not None:
            return 128 + self._flag.received
        return 1 if reason in ("failed", "not_finite") else 0


def _prepare(settings: Settings) -> "Preparation":
    """Load torch and prepare; what is warned of meanwhile goes with the preparation."""
    with warnings.catch_warnings(record=True) as caught:
        from .preparation import prepare

        preparation = prepare(settings)
    preparation.warnings.extend(f"{item.category.__name__}: {item.message}" for item in caught)
    return preparation


@contextmanager
def _warnings_as_events(emit: OnEvent) -> Iterator[None]:
    """Put what Python warns of into the journal, each place in the code once."""

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        emit(Warned(message=f"{category.__name__}: {message}"))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _finished(reason: FinishReason, message: str, trainer: "Trainer | None") -> RunFinished:
    if trainer is None:
        return RunFinished(reason=reason, epoch=0, best_epoch=None, best_loss=None, message=message)
    return RunFinished(
        reason=reason,
        epoch=trainer.epoch,
        best_epoch=trainer.stopping.lowest_epoch,
        best_loss=trainer.stopping.lowest_loss,
        message=message,
    )


if __name__ == "__main__":
    sys.exit(main())
