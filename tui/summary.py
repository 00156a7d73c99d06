"""A run in a few lines."""

from ..core.events import EpochCompleted
from ..core.run.directory import Run
from ..core.run.status import RunStatus
from .event_wording import finish_text, start_text
from .state import RunState
from .wording import duration_text, loss_text, status_text


def summary_lines(state: RunState, status: RunStatus) -> list[str]:
    """What was trained, how it ended or where it stands, the best epoch and the last."""
    lines = [start_text(state.started)] if state.started else []
    if state.finished is not None:
        lines.append(finish_text(state.finished))
    else:
        at = f" at epoch {state.epoch} of {state.num_epochs}" if state.epoch else ""
        lines.append(f"{status_text(status, paused=state.paused)}{at}")
    if state.last_epoch is not None:
        lines += _result_lines(state, state.last_epoch)
    return lines


def farewell_lines(run: Run, state: RunState, status: RunStatus) -> list[str]:
    """What the screen leaves behind: how the run went, or how to come back to a live one."""
    if not status.is_live:
        return [f"run {run.path}", *summary_lines(state, status)]
    return [
        f"{run.name} stays paused." if state.paused else f"{run.name} goes on training.",
        f"  epochtop watch {run.name}",
        f"  epochtop {'resume' if state.paused else 'stop'} {run.name}",
    ]


def end_text(run: Run, state: RunState, status: RunStatus) -> str:
    """How a run ended in a few words, for those who look elsewhere."""
    best = ""
    if state.stopping is not None and state.stopping.lowest_loss is not None:
        stopping = state.stopping
        best = f", best {loss_text(stopping.lowest_loss)} at epoch {stopping.lowest_epoch}"
    return f"{run.label} {status_text(status)}{best}"


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
