"""How an interrupted run goes on: with which settings, from where, and what it says of it."""

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from ..errors import CheckpointError, NothingLeftError, RunError, SettingProblem, SettingsError
from ..events import Event, RunFinished, RunResumed, RunStarted, SettingChanged, Warned
from ..run.directory import Run
from ..run.journal import JournalReader, read_first
from ..run.status import engine_process
from ..settings.consistency import require_consistent
from ..settings.declaration import Settings
from ..settings.fields import setting_field, setting_fields
from ..settings.toml_file import Layer, parse_overrides, read_settings, with_absolute_paths
from ..training.setting_changes import apply_setting, check_live, live_fields, with_changes

if TYPE_CHECKING:
    from ..training.state import State
    from ..training.trainer import Trainer


@dataclass(frozen=True)
class Resumption:
    """What a run goes on with, as far as its journal and the user tell.

    `settings` hold both what was changed while it ran and what the user overrides now; `changes`
    are the latter. `times_gone_back` counts how often a loss that was no number made it go back.
    `finished` is how it ended, None if its process was killed.
    """

    run: Run
    started: RunStarted
    settings: Settings
    changes: tuple[SettingChanged, ...]
    times_gone_back: int
    finished: RunFinished | None


def has_begun(run: Run) -> bool:
    """Whether the run has trained, so that it can only be gone on with."""
    return isinstance(read_first(run.journal_path), RunStarted)


def plan_resumption(run: Run, overrides: Iterable[str] = ()) -> Resumption:
    """Read what a run goes on with.

    Args:
        run: which was interrupted.
        overrides: `section.key=value` of settings that may change.

    Raises:
        RunError: the run never began.
        SettingsError: its settings cannot be read, or an override is wrong.
    """
    events = JournalReader(run.journal_path).read()
    started = next((event for event in events if isinstance(event, RunStarted)), None)
    if started is None:
        raise RunError(f"run {run.name}: found no start in its journal; allowed: a run that began")
    before = with_changes(read_settings(run.settings_path), events)
    changes = tuple(_changes(before, parse_overrides(overrides)))
    settings = require_consistent(with_changes(before, changes))
    times = sum(isinstance(event, SettingChanged) and event.by == "go_back" for event in events)
    return Resumption(run, started, settings, changes, times, _ending(events))


def _ending(events: Iterable[Event]) -> RunFinished | None:
    """How the run ended, unless it was resumed since."""
    ending: RunFinished | None = None
    for event in events:
        if isinstance(event, RunFinished):
            ending = event
        elif isinstance(event, RunResumed):
            ending = None
    return ending


def _changes(settings: Settings, layer: Layer) -> Iterator[SettingChanged]:
    for setting, value in layer.items():
        after, before = check_live(setting, value), setting_field(setting).value(settings)
        if after != before:
            yield SettingChanged(setting=setting, before=before, after=after, by="resume")


def restore(resumption: Resumption, trainer: "Trainer") -> list[Event]:
    """Put a new trainer where the run was; the records that say so.

    Raises:
        NothingLeftError: the run has ended and there is nothing left to train.
        CheckpointError: the checkpoint is of another model.
        RunError: the data are not those that the run began with.
    """
    from ..checkpoint.checkpoints import load_last

    _require_same_settings(resumption)
    _require_same_data(resumption, trainer)
    warnings: list[str] = []
    state, source = load_last(resumption.run, warnings.append)
    if state is not None:
        try:
            trainer.load_state(_after_going_back(state, resumption.times_gone_back))
        except Exception as error:
            path = resumption.run.path / source
            raise CheckpointError(
                f"{path}: found a state that does not fit: {_first_cause(error)}; "
                "allowed: one of the same model and optimiser"
            ) from error
    done = trainer.why_done()
    if done is not None and resumption.finished is not None:
        _, why = done
        raise NothingLeftError(f"run {resumption.run.name} has nothing left to train: {why}")
    resumed = _record(trainer, f"restored {source}")
    records: list[Event] = [resumed, *(Warned(message=message) for message in warnings)]
    records += [replace(change, time=resumed.time) for change in resumption.changes]
    if trainer.times_gone_back > resumption.times_gone_back:
        records.append(_finish_going_back(trainer, resumption.changes))
    return records


def _first_cause(error: Exception) -> str:
    """The first thing that is wrong; torch's list of them has a heading."""
    lines = str(error).splitlines() or [repr(error)]
    return lines[min(1, len(lines) - 1)].strip()


def _after_going_back(state: "State", times: int) -> "State":
    """The state that the run had gone back to, if it was killed before that was on the disk."""
    if times <= state["times_gone_back"]:
        return state
    return {**(state["good"] or state), "times_gone_back": times}


def _finish_going_back(trainer: "Trainer", changes: Iterable[SettingChanged]) -> SettingChanged:
    """Lower the rate, for the run was killed when it had gone back and not yet done that.

    A rate that the user sets now is not lowered; it is the one to go on with.
    """
    lr = trainer.settings.optim.lr
    is_set_now = any(change.setting == "optim.lr" for change in changes)
    factor = 1.0 if is_set_now else trainer.settings.train.go_back_factor
    return apply_setting(trainer, "optim.lr", lr * factor, "go_back")


def _record(trainer: "Trainer", message: str) -> RunResumed:
    engine = engine_process()
    return RunResumed(
        epoch=trainer.epoch,
        step=trainer.step,
        batches_into_next_epoch=trainer.progress.batches,
        stopping=trainer.rule_state.stopping if trainer.epoch else None,
        message=message,
        device=str(trainer.device),
        host=socket.gethostname(),
        pid=engine.pid,
    )


def _require_same_settings(resumption: Resumption) -> None:
    """Refuse to go on with other settings than the run began with, but for those that may change.

    They can only differ where somebody has edited the run's own `settings.toml`. A device may be
    another one: a run may go on elsewhere.
    """
    live = {field.path for field in live_fields()}
    # as the journal has them: tuples are lists there
    now = msgspec.json.decode(msgspec.json.encode(with_absolute_paths(resumption.settings)))
    problems = []
    for field in setting_fields():
        began = resumption.started.setting(field.section, field.key)
        found = now.get(field.section, {}).get(field.key)
        if field.path not in {*live, "train.device"} and began is not None and found != began:
            allowed = f"{field.format(began)}, with which the run began"
            where = f"{resumption.run.settings_path}: {field.path}"
            problems.append(SettingProblem(where, field.format(found), allowed))
    if problems:
        raise SettingsError(problems)


def _require_same_data(resumption: Resumption, trainer: "Trainer") -> None:
    """Refuse to go on with other data than the run began with: its losses would not compare."""
    began = (resumption.started.num_train, resumption.started.num_val)
    now = (trainer.train.num_rows, trainer.val.num_rows)
    if began != now:
        raise RunError(
            f"run {resumption.run.name}: found {now[0]} training and {now[1]} validation rows; "
            f"allowed: the data it began with, {began[0]} and {began[1]}"
        )
