"""The header: the run's state, epoch, speed and time left, as much as the width holds."""

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from ...core.run.directory import Run
from ...core.run.status import RunStatus
from .. import wording
from ..state import RunState

_COLOURS = {"live": "green", "starting": "yellow", "killed": "red", "lost": "red"}
_FINISH_COLOURS = {"failed": "red", "not_finite": "red", "interrupted": "yellow"}


class StatusLine(Widget):
    """One line over the panes."""

    DEFAULT_CSS = "StatusLine { height: 1; width: 1fr; padding: 0 1; background: $panel; }"

    state: reactive[RunState] = reactive(RunState, layout=False)
    status: reactive[RunStatus | None] = reactive[RunStatus | None](None)
    run: reactive[Run | None] = reactive[Run | None](None)

    def render(self) -> Text:
        """The parts in the order of their weight; what does not fit is left out from the end."""
        line = Text(no_wrap=True)
        for part in self._parts():
            gap = "  " if line else ""
            if line.cell_len + len(gap) + part.cell_len > self.size.width:
                break
            line.append(gap).append_text(part)
        return line

    def _parts(self) -> list[Text]:
        if self.run is None or self.status is None:
            return [Text("epochtop", "bold"), Text("no run yet")]
        if self.state.loading is not None:  # how the run stands is known at the journal's end
            reading = (f"reading the journal: {self.state.loading:.0%}", "bold")
            return [Text.assemble(("● ", "yellow"), reading), *self._progress()[:1]]
        return [
            self._dot(self.status),
            *self._progress(),
            *(self._estimate() if self.status.is_live else self._duration()),
            Text(wording.printable(self.run.label), "bold"),
            *self._reserve(),
        ]

    def _dot(self, status: RunStatus) -> Text:
        colour = _COLOURS.get(status.state) or _FINISH_COLOURS.get(status.reason or "", "blue")
        text = wording.status_text(status, paused=self.state.paused)
        if self._is_paused:
            colour = "yellow"
        elif status.is_live and self.state.stop_requested:
            text = "stopping"
        return Text.assemble(("● " if status.is_live else "■ ", colour), (text, "bold"))

    @property
    def _is_paused(self) -> bool:
        return self.state.paused and self.status is not None and self.status.is_live

    def _progress(self) -> list[Text]:
        speed = None if self._is_paused else self.state.epochs_per_second
        parts = []
        if self.state.num_epochs is not None:
            parts.append(Text(f"epoch {self.state.epoch:,}/{self.state.num_epochs:,}"))
        if speed is not None:
            parts.append(Text(wording.speed_text(speed)))
        return parts

    def _estimate(self) -> list[Text]:
        seconds = None if self._is_paused else self.state.seconds_left
        return [] if seconds is None else [Text(f"≤ {wording.duration_text(seconds)} left")]

    def _duration(self) -> list[Text]:
        seconds = self.state.seconds
        return [] if seconds is None else [Text(f"in {wording.duration_text(seconds)}")]

    def _reserve(self) -> list[Text]:
        """What only a wide terminal shows."""
        parts = []
        unimproved = None if self._is_paused else self.state.seconds_left_if_nothing_improves
        if self.status and self.status.is_live and unimproved is not None:
            parts.append(Text(f"{wording.duration_text(unimproved)} if nothing improves"))
        if self.state.started is not None:
            parts.append(Text(wording.printable(self.state.started.device)))
        return parts
