"""The early-stopping state: best, epochs since, what is left, the loss to beat."""

import math

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from ...core.events import Stopping
from ..state import RunState
from ..stopping_wording import short_stopping_text, stopping_text

_BAR_CELLS = 10
_WIDTH_FOR_ALL = 45


class StoppingLine(Widget):
    """A bar and the rule's state in words; red when the run is about to stop."""

    DEFAULT_CSS = "StoppingLine { height: auto; max-height: 3; padding: 0 1; }"

    state: reactive[RunState] = reactive(RunState, layout=True)

    def render(self) -> Text:
        """The bar empties as the rule comes nearer to its end of the run."""
        stopping = self.state.stopping
        if stopping is None:
            return Text("early stopping: nothing measured yet", "dim")
        if self.size.width < _WIDTH_FOR_ALL:
            return Text(short_stopping_text(stopping), _colour(stopping), no_wrap=True)
        return Text.assemble(*self._bar(stopping), stopping_text(stopping))

    def _bar(self, stopping: Stopping) -> list[tuple[str, str]]:
        left = _share_left(stopping)
        if left is None:
            return []
        filled = math.ceil(left * _BAR_CELLS - 1e-9)  # 0.1 + 0.2 is 3 cells and not 4
        return [("█" * filled, _colour(stopping)), ("░" * (_BAR_CELLS - filled) + " ", "dim")]


def _colour(stopping: Stopping) -> str:
    """Green while more than half is left, red when the last quarter runs."""
    left = _share_left(stopping)
    if left is None or left > 1 / 2:
        return "green"
    return "yellow" if left > 1 / 4 else "red"


def _share_left(stopping: Stopping) -> float | None:
    """How much of the patience, or of a measure's way to its limit, is left, from 1 to 0.

    None without a rule that ends the run.
    """
    if stopping.limit is not None:
        return 1 - min(1.0, (stopping.measure or 0.0) / stopping.limit)
    if not stopping.patience:
        return None
    return max(0, stopping.patience - stopping.epochs_since_best) / stopping.patience
