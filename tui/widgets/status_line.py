"""The header: the run's state, epoch, speed and time left, as much as the width holds."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.reactive import reactive
from textual.strip import Strip

from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..following.pulse import Pulse
from ..following.state import RunState
from ..words import wording
from .painted import Painted, text_strip

if TYPE_CHECKING:
    from ..asking.pending import Pending
    from ..following.patience import Outlook

# A sign and a colour for each state, so that it is told without colours, too.
_DOTS = {
    "live": ("●", "green"),
    "starting": ("○", "yellow"),
    "paused": ("‖", "yellow"),
    "stopping": ("◐", "yellow"),
    "stalled": ("!", "bold red"),
    "killed": ("✗", "red"),
    "lost": ("✗", "red"),
    "failed": ("✗", "red"),
    "not_finite": ("✗", "red"),
    "interrupted": ("■", "yellow"),
}
_ENDED = ("■", "blue")


class StatusLine(Painted):
    """One line over the panes."""

    DEFAULT_CSS = "StatusLine { height: 1; width: 1fr; padding: 0 1; background: $panel; }"

    state: reactive[RunState] = reactive(RunState, layout=False, repaint=False)
    status: reactive[RunStatus | None] = reactive[RunStatus | None](None, repaint=False)
    run: reactive[Run | None] = reactive[Run | None](None, repaint=False)
    pulse: reactive[Pulse] = reactive(Pulse, repaint=False)
    pending: reactive[Sequence[Pending]] = reactive["Sequence[Pending]"]((), repaint=False)

    def watch_state(self) -> None:
        """Draw the new state."""
        self.repaint()

    watch_status = watch_run = watch_pulse = watch_pending = watch_state

    def paint(self, width: int, height: int) -> list[Strip]:
        """The parts in the order of their weight; what does not fit is left out from the end."""
        del height
        line = Text(no_wrap=True)
        for part in filter(None, self._parts()):
            gap = "  " if line else ""
            if line.cell_len + len(gap) + len(part.plain.rstrip()) > width:
                break
            line.append(gap).append_text(part)
        return [text_strip(line, width)]

    def _outlook(self) -> Outlook:
        from ..following.patience import Outlook  # not before the first frame

        return Outlook.of(self.state, self.pulse.silence)

    def _parts(self) -> list[Text]:
        if self.run is None or self.status is None:
            return [Text("epochtop", "bold"), Text("no run yet")]
        if self.state.loading is not None:  # how the run stands is known at the journal's end
            reading = (f"reading the journal: {self.state.loading:.0%}", "bold")
            return [Text.assemble(("● ", "yellow"), reading), self._epoch()]
        return [
            self._dot(self.status),
            self._asked(),
            self._epoch(),
            self._speed(),
            self._estimate() if self.status.is_live else self._duration(),
            Text(wording.printable(self.run.label), "bold"),
            *(self._reserve() if self.status.is_live else []),
            *self._machine(),
        ]

    def _dot(self, status: RunStatus) -> Text:
        is_live = status.state == "live"
        name: str = self._doing() if is_live else status.reason or status.state
        words = name if is_live else wording.status_text(status)
        if name == "stalled":
            words = f"stalled: no news for {wording.duration_text(self.pulse.silence)}"
        sign, colour = _DOTS.get(name, _ENDED)
        return Text.assemble((f"{sign} ", colour), (words, "bold"))

    def _doing(self) -> str:
        """What a live run does."""
        if self.state.paused:
            return "paused"
        if self.pulse.is_stalled(self.state):
            return "stalled"
        return "stopping" if self.state.stop_requested else "live"

    def _asked(self) -> Text:
        """What the engine was asked for and has not answered."""
        if not self.pending:
            return Text()
        newest = self.pending[-1]
        if newest.is_late:
            return Text(f"no answer: {newest.doing}?", "yellow")
        return Text(f"{newest.doing} …", "yellow")

    @property
    def _stands(self) -> bool:
        return self.state.paused and self.status is not None and self.status.is_live

    @property
    def _starts(self) -> bool:
        """Whether an engine is on its way: till it trains no time passes and nothing is left."""
        return self.status is not None and self.status.state == "starting"

    def _epoch(self) -> Text:
        if self.state.num_epochs is None:
            return Text(f"epoch {self.state.epoch:,}") if self.state.epoch else Text()
        text = f"epoch {self.state.epoch:,}/{self.state.num_epochs:,}"
        # as wide as it will ever be, or each digit more would move all that follows
        return Text(text.ljust(len(f"epoch {self.state.num_epochs:,}/{self.state.num_epochs:,}")))

    def _speed(self) -> Text:
        speed = None if self._stands or self._starts else self.state.epochs_per_second
        return Text() if speed is None else _steady(wording.speed_text(speed), 13)

    def _estimate(self) -> Text:
        if self._starts:
            return Text()
        seconds = self._outlook().seconds_at_most
        return Text() if seconds is None else Text(f"≤ {wording.duration_text(seconds)} left")

    def _duration(self) -> Text:
        seconds = self.state.seconds
        return Text() if seconds is None else Text(f"in {wording.duration_text(seconds)}")

    def _reserve(self) -> list[Text]:
        """What only a wide terminal shows of a live run."""
        if self._starts:
            return []
        seconds, samples = self.state.seconds, self.state.samples_per_second
        outlook = self._outlook()
        parts = []
        if seconds is not None:
            ticking = 0.0 if self._stands else self.pulse.silence
            parts.append(Text(f"{wording.clock_text(seconds + ticking)} so far"))
        if samples and not self._stands:
            parts.append(_steady(wording.samples_text(samples), 14))
        if outlook.stops_early and outlook.seconds_to_stop is not None:
            left = wording.duration_text(outlook.seconds_to_stop)
            parts.append(Text(f"{left} if nothing improves"))
        return parts

    def _machine(self) -> list[Text]:
        """The device, and the host unless it is this one."""
        started = self.state.started
        if started is None:
            return []
        host = "" if started.host in ("", socket.gethostname()) else f" on {started.host}"
        return [Text(wording.printable(started.device + host))]


def _steady(text: str, width: int) -> Text:
    """A number that changes all the time, in a place that does not."""
    return Text(text.ljust(width))
