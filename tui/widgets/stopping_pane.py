"""The early-stopping pane: best, epochs since, what is left, the loss to beat, when it ends."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.strip import Strip

from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..following.pulse import Pulse
from ..following.state import RunState
from .painted import Painted, text_strip


class StoppingPane(Painted):
    """A bar and the rule's state in words, louder as patience runs low.

    Its height is the layout's and never changes with what it says: one line, or three.
    """

    DEFAULT_CSS = "StoppingPane { height: 1; padding: 0 1; }"

    state: reactive[RunState] = reactive(RunState, layout=False, repaint=False)
    status: reactive[RunStatus | None] = reactive[RunStatus | None](None, repaint=False)
    run: reactive[Run | None] = reactive[Run | None](None, repaint=False)
    pulse: reactive[Pulse] = reactive(Pulse, repaint=False)

    def watch_state(self) -> None:
        """Draw the new state."""
        self.repaint()

    def watch_status(self) -> None:
        """Draw the end, or the going on."""
        self.repaint()

    def watch_pulse(self) -> None:
        """Draw the time that is left."""
        self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The lines that fit, the weightiest first."""
        if self.state.loading is not None:  # what has been read so far is not how the rule stands
            return [text_strip(Text("early stopping: reading the journal", "dim"), width)]
        if self.state.stopping is None and self.state.not_finite is None:
            return [text_strip(Text("early stopping: nothing measured yet", "dim"), width)]
        from .stopping_lines import stopping_lines  # not before the first frame

        lines = stopping_lines(self.state, self.run, self.status, self.pulse, (width, height))
        return [text_strip(line, width) for line in lines[:height]]
