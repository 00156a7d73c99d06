"""Numbers, times and events in words, the same on the screen, in lines and in summaries."""

import time
import unicodedata

from ..core.events import (
    CheckpointSaved,
    EpochCompleted,
    Event,
    FinishReason,
    LossNotFinite,
    RunFinished,
    RunResumed,
    RunStarted,
    Stopping,
    StopRequested,
    Warned,
)
from ..core.status import RunStatus
from .state import RunState

_REASONS: dict[FinishReason, str] = {
    "completed": "completed",
    "early_stopped": "stopped early",
    "stopped": "stopped on request",
    "interrupted": "interrupted",
    "not_finite": "ended by a loss that is no number",
    "failed": "failed",
}


def printable(text: str) -> str:
    """The text with control characters spelled out, so that none reaches the terminal."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else character.encode("unicode_escape", "backslashreplace").decode()
        for character in text
    )


def loss_text(loss: float | None) -> str:
    """A loss to four digits that count; one that was not finite says so."""
    if loss is None:
        return "not finite"
    if loss != 0 and not 1e-3 <= abs(loss) < 1e5:
        return f"{loss:.3e}"
    return f"{loss:#.4g}".rstrip(".")


def duration_text(seconds: float) -> str:
    """Seconds as 0.7 s, 0:12, 12:34 or 1:02:03."""
    if 0 <= seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, second = divmod(max(0, round(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def date_text(seconds: float) -> str:
    """A moment as the local date and time; `-` for one that no calendar has."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):
        return "-"


def speed_text(epochs_per_second: float) -> str:
    """Epochs a second, or seconds an epoch when it takes longer than that."""
    if epochs_per_second >= 1:
        return f"{epochs_per_second:.3g} epochs/s"
    return f"{1 / epochs_per_second:.3g} s/epoch"


def reason_text(reason: FinishReason) -> str:
    """How a run ended."""
    return _REASONS[reason]


def status_text(status: RunStatus) -> str:
    """A run's state in a word or two."""
    if status.reason is not None:
        return reason_text(status.reason)
    return {
        "starting": "starting",
        "live": "live",
        "killed": "killed",
        "lost": "lost",
        "finished": "finished",
    }[status.state]


def start_text(started: RunStarted) -> str:
    """What is trained, on what."""
    classes = f", {len(started.classes)} classes" if started.classes else ""
    return (
        f"{started.setting('data', 'source')}: {started.num_train:,} training and "
        f"{started.num_val:,} validation rows, {started.num_features:,} features, "
        f"{started.problem}{classes}; {started.setting('model', 'kind')} with "
        f"{started.num_parameters:,} parameters on {started.device}"
    )


def stopping_text(stopping: Stopping) -> str:
    """The early-stopping rule's state in one line: best, epochs since, patience, target."""
    parts = [_best_text(stopping), f"{stopping.epochs_since_best} since", patience_text(stopping)]
    if stopping.target is not None:
        parts.append(f"to beat {loss_text(stopping.target)}")
    return ", ".join(parts)


def short_stopping_text(stopping: Stopping) -> str:
    """The same for a narrow terminal."""
    return f"{_best_text(stopping)}, {patience_text(stopping)}"


def patience_text(stopping: Stopping) -> str:
    """How many epochs without improvement the rule still waits."""
    if not stopping.patience:
        return "never stops early"
    left = max(0, stopping.patience - stopping.epochs_since_best)
    return f"patience {left} of {stopping.patience}"


def _best_text(stopping: Stopping) -> str:
    if stopping.best_loss is None:
        return "no finite validation loss yet"
    # with a min_delta the best that the rule counts from may not be the lowest loss
    counted = "" if stopping.lowest_epoch in (stopping.best_epoch, None) else "counted "
    return f"{counted}best {loss_text(stopping.best_loss)} at {stopping.best_epoch}"


def new_best_text(stopping: Stopping, before: Stopping | None) -> str:
    """A new best and what it beat."""
    best = f"new best {loss_text(stopping.best_loss)}"
    if before is None or before.best_loss is None:
        return best
    return f"{best}, was {loss_text(before.best_loss)} at epoch {before.best_epoch}"


def event_text(event: Event) -> str | None:  # noqa: PLR0911 - a case a kind of event
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
        case StopRequested():
            when = "after this epoch" if event.when == "epoch" else "at the next step"
            return f"asked to stop {when}"
        case Warned():
            return event.message
        case RunResumed():
            return f"resumed after epoch {event.epoch}"
        case RunFinished():
            return finish_text(event)


def finish_text(finished: RunFinished) -> str:
    """How and when the run ended, and why."""
    return f"{reason_text(finished.reason)} after epoch {finished.epoch}: {finished.message}"


def summary_lines(state: RunState, status: RunStatus) -> list[str]:
    """A run in a few lines: what was trained, how it ended, the best epoch."""
    lines = [start_text(state.started)] if state.started else []
    if state.finished is not None:
        lines.append(finish_text(state.finished))
    else:
        at = f" at epoch {state.last_epoch.epoch} of {state.num_epochs}" if state.last_epoch else ""
        lines.append(f"{status_text(status)}{at}")
    if state.last_epoch is not None:
        lines += _result_lines(state, state.last_epoch)
    return lines


def _result_lines(state: RunState, last: EpochCompleted) -> list[str]:
    lowest = last.stopping.lowest_loss
    lines = []
    if lowest is not None and state.started is not None:
        baseline = state.started.baseline_loss
        against = f" (a constant guess: {loss_text(baseline)})" if baseline is not None else ""
        epoch = last.stopping.lowest_epoch
        lines.append(f"best validation loss {loss_text(lowest)} at epoch {epoch}{against}")
    metrics = "".join(f", {name} {loss_text(value)}" for name, value in last.metrics.items())
    lines.append(
        f"last epoch {last.epoch}: train loss {loss_text(last.train_loss)}, "
        f"validation loss {loss_text(last.val_loss)}{metrics}"
    )
    if state.seconds:
        lines.append(f"{duration_text(state.seconds)} of training")
    return lines
