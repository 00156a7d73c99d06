"""The early-stopping state: best, epochs since, patience left, the loss to beat."""

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from ...core.events import Stopping
from .. import wording
from ..state import RunState

_BAR_CELLS = 10
_WIDTH_FOR_ALL = 45


class StoppingLine(Widget):
    """A patience bar and the rule's state in words; red when patience runs low."""

    DEFAULT_CSS = "StoppingLine { height: auto; max-height: 3; padding: 0 1; }"

    state: reactive[RunState] = reactive(RunState, layout=True)

    def render(self) -> Text:
        """The bar empties as patience is used up."""
        stopping = self.state.stopping
        if stopping is None:
            return Text("early stopping: nothing measured yet", "dim")
        if self.size.width < _WIDTH_FOR_ALL:
            return Text(wording.short_stopping_text(stopping), _colour(stopping), no_wrap=True)
        return Text.assemble(*self._bar(stopping), wording.stopping_text(stopping))

    def _bar(self, stopping: Stopping) -> list[tuple[str, str]]:
        if not stopping.patience:
            return []
        left = max(0, stopping.patience - stopping.epochs_since_best)
        filled = -(-left * _BAR_CELLS // stopping.patience)
        return [("█" * filled, _colour(stopping)), ("░" * (_BAR_CELLS - filled) + " ", "dim")]


def _colour(stopping: Stopping) -> str:
    """Green while more than half of the patience is left, red when the last quarter runs."""
    left = stopping.patience - stopping.epochs_since_best
    if not stopping.patience or left * 2 > stopping.patience:
        return "green"
    return "yellow" if left * 4 > stopping.patience else "red"
