"""A journal's records in words, the same in the event log and in lines."""

from pathlib import PurePath

from ...core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    LossNotFinite,
    Paused,
    RequestSeen,
    Resumed,
    RunFinished,
    RunResumed,
    RunStarted,
    SettingChanged,
    StopRequested,
    VerdictChanged,
    Warned,
)
from ...core.settings.data_source import split_task
from ...core.settings.values import value_text
from .verdict_wording import verdict_text
from .wording import reason_text

_CHANGED_BY = {"request": "on request", "resume": "on resume", "go_back": "after going back"}


def event_text(event: Event) -> str | None:  # noqa: PLR0911, PLR0912 - a case a kind of event
    """A record in words; None for an epoch, whose stopping rule tells the news."""
    match event:
        case EpochCompleted():
            return None
        case RunStarted():
            return start_text(event)
        case CheckpointSaved():
            return f"saved {event.path} (epoch {event.epoch}, {event.bytes / 1024:,.0f} KiB)"
        case LossNotFinite():
            return f"{event.which} loss is {event.value} at epoch {event.epoch}, step {event.step}"
        case VerdictChanged():
            return verdict_text(event)
        case RequestSeen():
            return (
                f"the engine has seen the request ({event.request}); a long step has to end first"
            )
        case StopRequested():
            when = "after this epoch" if event.when == "epoch" else "at the next step"
            return f"asked to stop {when}"
        case Paused():
            return f"paused after epoch {event.epoch}, step {event.step}"
        case Resumed():
            return f"goes on after epoch {event.epoch}, step {event.step}"
        case SettingChanged():
            before, after = value_text(event.before), value_text(event.after)
            return f"{event.setting} is {after} now, was {before} ({_CHANGED_BY[event.by]})"
        case Warned():
            return event.message
        case RunResumed():
            return _resumption_text(event)
        case RunFinished():
            return finish_text(event)


def start_text(started: RunStarted) -> str:
    """What is trained, on what."""
    return f"{_data_text(started)}; {_model_text(started)} on {started.device}"


def finish_text(finished: RunFinished) -> str:
    """How and when the run ended, and why."""
    how = reason_text(finished.reason)
    says_more = finished.message and finished.message != how
    return f"{how} after epoch {finished.epoch}" + (f": {finished.message}" if says_more else "")


def _data_text(started: RunStarted) -> str:
    rows = f"{_count(started.num_train)} training and {_count(started.num_val)} validation rows"
    if task := _task_of(started):
        return f"{task}: {rows}"
    features = "" if started.num_features is None else f", {started.num_features:,} features"
    classes = f", {len(started.classes)} classes" if started.classes else ""
    text = f"{rows}{features}, {started.problem}{classes}"
    source = started.setting("data", "source")
    return f"{source}: {text}" if source else text


def _model_text(started: RunStarted) -> str:
    kind = "a model" if _task_of(started) else started.setting("model", "kind") or "a model"
    return f"{kind} with {started.num_parameters:,} parameters"


def _task_of(started: RunStarted) -> str:
    """The name of a task's file and its function; empty without a task."""
    file, function = split_task(str(started.settings.get("task") or ""))
    return f"{PurePath(file).name}:{function}" if function else ""


def _count(rows: int | None) -> str:
    return "an unknown number of" if rows is None else f"{rows:,}"


def _resumption_text(event: RunResumed) -> str:
    if event.message and not event.pid:  # it went back by itself, and says where to and why
        return event.message
    batches = event.batches_into_next_epoch
    within = f" and {batches} batches of the next" if batches else ""
    what = f": {event.message}" if event.message else ""
    return f"resumed after epoch {event.epoch}{within}{what}"
