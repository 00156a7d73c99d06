"""Says which line of a journal should have been an epoch, where epochs are missing."""

from ...core.run.directory import Run
from ...core.run.misread import first_misread
from ..following.state import RunState
from . import output


def warn_of_misread(run: Run, state: RunState) -> None:
    """Tell of the first such line on stderr, if the run has no epochs or leaves some out."""
    if len(state.history) and not state.missing_epochs:
        return
    if misread := first_misread(run.journal_path):
        output.warn(f"epochtop: {run.journal_path}, line {misread.line}: not read: {misread.why}")
