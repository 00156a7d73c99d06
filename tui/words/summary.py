"""A run in a few lines."""

from ...core.events import EpochCompleted, Stopping
from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..following.state import RunState
from ..following.verdicts import verdict_of
from .event_wording import finish_text, start_text
from .verdict_wording import verdict_text
from .wording import duration_text, loss_text, printable, status_text


def summary_lines(state: RunState, status: RunStatus) -> list[str]:
    """What was trained, how it ended or where it stands, the best epoch and the last."""
    lines = [start_text(state.started)] if state.started else []
    lines.append(_end_text(state, status))
    if state.last_epoch is not None:
        lines += _result_lines(state, state.last_epoch)
    if verdict := verdict_of(state):
        lines.append(f"verdict: {verdict_text(verdict)}")
    return lines


def farewell_lines(run: Run, state: RunState, status: RunStatus) -> list[str]:
    """What the screen leaves behind: how the run went, or how to come back to a live one."""
    if not status.is_live:
        kept = [text for text in (weights_text(run, state), going_on_text(run, state)) if text]
        return [f"run {run.path}", *summary_lines(state, status), *kept]
    if status.is_foreign:
        return [f"{run.name} goes on training.", f"  epochtop watch {run.name}"]
    return [
        f"{run.name} stays paused." if state.paused else f"{run.name} goes on training.",
        f"  epochtop watch {run.name}",
        f"  epochtop {'resume' if state.paused else 'stop'} {run.name}",
    ]


def unread_lines(run: Run) -> list[str]:
    """What the screen leaves behind of a run whose journal it has not read to the end."""
    return [f"run {run.path}: its journal was not read to the end", f"  epochtop show {run.name}"]


def closing_lines(
    run: Run, state: RunState, status: RunStatus, width: int | None = None
) -> list[str]:
    """The end of a run: why, what it has reached in which time, what is kept, how to go on.

    Where the weights are is cut to `width`, from the left: the run's name is what one looks for.
    """
    reached = []
    if state.stopping is not None and state.stopping.lowest_loss is not None:
        best = loss_text(state.stopping.lowest_loss)
        reached.append(f"best validation loss {best} at epoch {state.stopping.lowest_epoch}")
    if state.seconds:
        epochs = f"{state.epoch:,} epoch{'' if state.epoch == 1 else 's'}"
        reached.append(f"{epochs} in {duration_text(state.seconds)}")
    lines = [_end_text(state, status), "; ".join(reached)]
    lines += [weights_text(run, state, width), going_on_text(run, state)]
    return [line for line in lines if line]


def weights_text(run: Run, state: RunState, width: int | None = None) -> str:
    """Where the weights to keep are; empty when none were saved."""
    kind = "best" if state.keeps_best and "best" in state.saved else "last"
    saved = state.saved.get(kind)
    if saved is None:
        return ""
    what, path = f"{kind} weights (epoch {saved.epoch}): ", printable(str(run.path / saved.path))
    room = len(path) if width is None else max(10, width - len(what))
    return what + (path if len(path) <= room else f"…{path[1 - room :]}")


def going_on_text(run: Run, state: RunState) -> str:
    """What to type to go on; empty where the run has no checkpoint to go on from."""
    if "last" not in state.saved:
        return ""
    more = {"completed": " --set train.epochs=N", "early_stopped": " --set stopping.patience=N"}
    reason = state.finished.reason if state.finished else ""
    return f"to go on: epochtop resume {printable(run.name)}{more.get(reason, '')}"


def _end_text(state: RunState, status: RunStatus) -> str:
    if state.finished is not None:
        return finish_text(state.finished)
    of = f" of {state.num_epochs}" if state.num_epochs is not None else ""
    at = f" at epoch {state.epoch}{of}" if state.epoch else ""
    return f"{status_text(status, paused=state.paused)}{at}"


def _best_text(state: RunState, stopping: Stopping) -> str:
    baseline = state.started.baseline_loss if state.started else None
    against = f" (a constant guess: {loss_text(baseline)})" if baseline is not None else ""
    lowest, epoch = loss_text(stopping.lowest_loss), stopping.lowest_epoch
    return f"best validation loss {lowest} at epoch {epoch}{against}"


def end_text(run: Run, state: RunState, status: RunStatus) -> str:
    """How a run ended in a few words, for those who look elsewhere."""
    best = ""
    if state.stopping is not None and state.stopping.lowest_loss is not None:
        stopping = state.stopping
        best = f", best {loss_text(stopping.lowest_loss)} at epoch {stopping.lowest_epoch}"
    return f"{run.label} {status_text(status)}{best}"


def _result_lines(state: RunState, last: EpochCompleted) -> list[str]:
    lines = []
    if state.stopping is not None and state.stopping.lowest_loss is not None:
        lines.append(_best_text(state, state.stopping))
    metrics = "".join(f", {name} {loss_text(value)}" for name, value in last.metrics.items())
    lines.append(
        f"last epoch {last.epoch}: train loss {loss_text(last.train_loss)}, "
        f"validation loss {loss_text(last.val_loss)}{metrics}"
    )
    if state.seconds:
        lines.append(f"{duration_text(state.seconds)} of training")
    return lines
