"""Says which line of a journal should have been an epoch, where epochs are missing."""

from ...core.run.directory import Run
from ...core.run.misread import first_misread
from ..following.state import RunState
from . import output


def warn_of_misread(run: Run, state: RunState) -> None:
    """Tell of the first such line on stderr, if the run has no epochs or leaves some out."""
    if _has_all_epochs(state):
        return
    if misread := first_misread(run.journal_path):
        output.warn(f"epochtop: {run.journal_path}, line {misread.line}: not read: {misread.why}")


def _has_all_epochs(state: RunState) -> bool:
    """Whether each epoch up to the last is there, from the first number on."""
    epochs = state.history.epochs
    return len(epochs) > 0 and int(epochs[-1] - epochs[0]) + 1 == len(epochs) and epochs[0] <= 1
