"""The engine: a process that trains one run and writes down what happens.

    settings -> data, model -> trainer -> events -> journal, checkpoints -> one run_finished

`python -m epochtop.core.engine RUN_DIRECTORY` trains a run that `launch` has created, and goes on
with one that has begun; `train_here` and `resume_here` do the same in the caller's process.
Signals are looked after before torch is loaded, so that a run of `launch` that is ended while it
starts says so, too.
"""

import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EpochtopError, NothingLeftError
from ..run.directory import Run, create_run
from ..run.journal import JournalWriter
from ..run.lock import training_lock
from ..run.status import engine_process, write_engine_process
from ..settings.declaration import Settings
from ..settings.toml_file import read_settings
from .engine import Engine, OnEvent, Outcome, finished_record, nobody
from .resume import has_begun, plan_resumption, restore
from .signals import SignalFlag, ending_signals

if TYPE_CHECKING:
    from .preparation import Preparation


def train_here(
    settings: Settings, runs: Path, name: str | None, on_start: Callable[[Run], OnEvent]
) -> Outcome | signal.Signals:
    """Train a new run in this process.

    Data and model are made before the run's directory is: wrong ones leave nothing behind.

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
        with training_lock(run), _engine_of(run, flag, on_start(run)) as engine:
            return engine.train(preparation, engine.records_of_start(preparation))


def resume_here(
    run: Run, overrides: Iterable[str], on_start: Callable[[Run], OnEvent]
) -> Outcome | signal.Signals:
    """Go on with a run in this process, from its last checkpoint.

    Args:
        run: stopped, finished, crashed or killed.
        overrides: `section.key=value` of settings that may change.
        on_start: is given the run; returns who is told of its events.

    Returns:
        How the run ended; the signal when one came before it went on.

    Raises:
        NothingLeftError: it has ended, and there is nothing left to train.
        EpochtopError: another process trains it, or it cannot be gone on with; it is as it was.
    """
    resumed_at = time.time()
    with ending_signals() as flag, training_lock(run):
        resumption = plan_resumption(run, overrides)
        preparation = _prepare(resumption.settings)
        records = restore(resumption, preparation.trainer)
        if flag.received is not None:
            return flag.received
        with _engine_of(run, flag, on_start(run)) as engine:
            return engine.train(preparation, records, resumed_at)


def train_run(run: Run) -> Outcome:
    """Train a run whose directory exists; whatever goes wrong is in its journal.

    Raises:
        RunError: another process trains it.
    """
    with ending_signals() as flag, training_lock(run), _engine_of(run, flag) as engine:
        try:
            preparation = _prepare(read_settings(run.settings_path))
            records = engine.records_of_start(preparation)
        except EpochtopError as error:
            if error.__cause__ is not None:  # what a user's own code raised
                engine.log_traceback(error.__cause__)
            return engine.end(finished_record("failed", str(error), None), exit_code=2)
        except Exception as error:  # noqa: BLE001 - whatever it was, the journal says so
            return engine.end(
                finished_record("failed", engine.log_traceback(error), None), exit_code=1
            )
        return engine.train(preparation, records)


def main() -> int:
    """Train, or go on with, the run of the first argument; the others are `section.key=value`."""
    run = Run(Path(sys.argv[1]).absolute())
    try:
        if not has_begun(run):
            return train_run(run).exit_code
        outcome = resume_here(run, sys.argv[2:], lambda _run: nobody)
    except EpochtopError as error:
        print(f"epochtop: {error}", file=sys.stderr)
        return 0 if isinstance(error, NothingLeftError) else 2
    return 128 + outcome if isinstance(outcome, signal.Signals) else outcome.exit_code


@contextmanager
def _engine_of(run: Run, flag: SignalFlag, listener: OnEvent = nobody) -> Iterator[Engine]:
    """Open the run's journal, and note in its directory who trains it."""
    with JournalWriter(run.journal_path) as journal:
        write_engine_process(run, engine_process())
        yield Engine(run, flag, journal, listener)


def _prepare(settings: Settings) -> "Preparation":
    """Load torch and prepare; what is warned of meanwhile goes with the preparation."""
    with warnings.catch_warnings(record=True) as caught:
        from .preparation import prepare

        preparation = prepare(settings)
    preparation.warnings.extend(f"{item.category.__name__}: {item.message}" for item in caught)
    return preparation
