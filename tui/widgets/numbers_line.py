"""What matters of a run where there is no room for a picture: numbers, the first ones first."""

from rich.text import Text
from textual.strip import Strip

from ...core.run.status import RunStatus
from ..following.state import RunState
from ..words import wording
from .painted import Painted, text_strip

_GAP = " "


class NumbersLine(Painted):
    """Fills a terminal of a few lines, or of few columns."""

    DEFAULT_CSS = "NumbersLine { display: none; width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._state, self._status = RunState(), RunStatus("finished")

    def show(self, state: RunState, status: RunStatus | None) -> None:
        """Show these numbers."""
        self._state, self._status = state, status or RunStatus("finished")
        self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """As many numbers in a line as fit, those that are left over in the next."""
        lines = [""]
        for part in number_parts(self._state, self._status):
            longer = f"{lines[-1]}{_GAP}{part}" if lines[-1] else part
            if len(longer) <= width or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(part)
        return [text_strip(Text(line), width) for line in lines[:height]]


def number_parts(state: RunState, status: RunStatus) -> list[str]:
    """Epoch, losses, the best, what patience is left, and how the run stands when it does not."""
    if state.loading is not None:  # what has been read so far is not how the run stands
        return ["epochtop:", f"reading the journal {state.loading:.0%}"]
    last, stopping = state.last_epoch, state.stopping
    if last is None or stopping is None:
        return ["epochtop:", "no run yet" if state.started is None else "no epoch yet"]
    parts = [
        f"{last.epoch}" if state.num_epochs is None else f"{last.epoch}/{state.num_epochs}",
        f"train {wording.loss_text(last.train_loss)}",
        f"val {wording.loss_text(last.val_loss)}",
        f"best {wording.loss_text(stopping.lowest_loss)} at {stopping.lowest_epoch}",
    ]
    if stopping.lowest_loss is None:
        parts.pop()
    if stopping.patience:
        parts.append(f"left {max(0, stopping.patience - stopping.epochs_since_best)}")
    if not status.is_live or state.paused:
        parts.append(wording.status_text(status, paused=state.paused))
    return parts
