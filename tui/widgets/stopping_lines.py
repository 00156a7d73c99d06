"""What the early-stopping pane says: the rule's state, louder as patience runs low. Pure."""

import math
from collections.abc import Iterable

from rich.text import Text

from ...core.events import Stopping
from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..following.patience import Alarm, Outlook, alarm, epochs_to_wait, share_left
from ..following.pulse import Pulse
from ..following.state import RunState
from ..words import wording
from ..words.event_wording import event_text
from ..words.stopping_wording import (
    best_text,
    brief_end_text,
    early_end_text,
    latest_end_text,
    rule_text,
    since_text,
    target_text,
)
from ..words.summary import closing_lines
from ..words.verdict_wording import verdict_text

_BAR_CELLS = 10
_SHORT_BAR_CELLS = 4
_WIDTH_FOR_BAR = 60
_COLOURS: dict[Alarm, str] = {
    "none": "green",
    "half": "yellow",
    "quarter": "bold red",
    "last": "bold reverse red",
}
# So that it is seen without colours, too.
_SIGNS: dict[Alarm, str] = {"none": "  ", "half": "· ", "quarter": "! ", "last": "!!"}


def stopping_lines(
    state: RunState, run: Run | None, status: RunStatus | None, pulse: Pulse, size: tuple[int, int]
) -> list[Text]:
    """The lines for so many columns and rows, the weightiest first."""
    return _Lines(state, pulse).of(run, status, size)


class _Lines:
    """What is said of one state."""

    def __init__(self, state: RunState, pulse: Pulse) -> None:
        self.state = state
        self.pulse = pulse

    def of(self, run: Run | None, status: RunStatus | None, size: tuple[int, int]) -> list[Text]:
        """How the rule stands; of a run that is over how it has ended."""
        width, height = size
        # a resumption has begun nothing yet: till its record comes the rule waits for no epoch
        is_over = status is not None and (not status.is_live or self.state.finished is not None)
        if run is not None and status is not None and is_over:
            return self._end(run, status, size)
        stopping = self.state.stopping
        if stopping is None:
            return self._nothing_measured()
        if height == 1:
            return [self._one_line(stopping, width)]
        outlook = Outlook.of(self.state, self.pulse.silence)
        if height == 2:
            return [self._one_line(stopping, width), self._soonest(outlook, stopping)]
        early = Text(f"  {early_end_text(outlook, stopping)}", _emphasis(self._alarm(stopping)))
        lines = [self._head(stopping, width), early, self._news(outlook)]
        return [*lines, Text(f"  {self._verdict()}")] if height > 3 else lines

    def _end(self, run: Run, status: RunStatus, size: tuple[int, int]) -> list[Text]:
        """How it has ended, where there is room for more than a line."""
        width, height = size
        stopping = self.state.stopping
        if stopping is None:
            return self._nothing_measured()
        lines = closing_lines(run, self.state, status, width - 2)
        if height > 3:
            del lines[3:]
            lines.append(self._verdict())
        first, *rest = map(wording.printable, lines)
        if height < 3:
            how = f"{wording.status_text(status)} at {self.state.epoch}"
            brief = Text(_that_fit([how, best_text(stopping)], width), "bold")
            return [brief, *(Text(f"  {line}") for line in rest[1:])]
        head = Text(first, "bold")
        head.truncate(width, overflow="ellipsis")  # the log has all of it
        return [head, *(Text(f"  {line}") for line in rest)]

    def _verdict(self) -> str:
        verdict = self.state.verdict
        return "too early for a verdict" if verdict is None else verdict_text(verdict)

    def _nothing_measured(self) -> list[Text]:
        lines = [Text("early stopping: nothing measured yet", "dim")]
        if self.state.not_finite is not None:
            lines.append(Text(f"! {event_text(self.state.not_finite)}", "bold red"))
        return lines

    def _one_line(self, stopping: Stopping, width: int) -> Text:
        """What is left comes first; what does not fit is left out from the end."""
        loud = self._alarm(stopping)
        style = _emphasis(loud)
        parts = [rule_text(stopping), best_text(stopping)]
        parts += filter(None, [since_text(stopping), target_text(stopping)])
        cells = _BAR_CELLS if width >= _WIDTH_FOR_BAR else _SHORT_BAR_CELLS
        picture = bar(stopping, loud, cells)
        room = width - sum(len(text) for text, _ in picture) - len(_sign(loud))
        if len(", ".join(parts[:2])) > room:
            picture = []
        room = width - sum(len(text) for text, _ in picture)
        words = _that_fit([_sign(loud) + parts[0], *parts[1:]], room)
        return Text.assemble(*picture, (words, style or ("" if picture else _COLOURS[loud])))

    def _soonest(self, outlook: Outlook, stopping: Stopping) -> Text:
        """What comes next where there is one line for it."""
        is_urgent = self.state.not_finite or self.state.stop_requested or self.state.paused
        if is_urgent or not outlook.stops_early or outlook.stop_epoch is None:
            return self._news(outlook)
        return Text(f"  {brief_end_text(outlook)}", _emphasis(self._alarm(stopping)))

    def _head(self, stopping: Stopping, width: int) -> Text:
        # in a place as wide as it may become, or all behind it would move
        since = since_text(stopping)
        since = since and since.rjust(len(f"{stopping.patience} since"))
        loud = self._alarm(stopping)
        head = Text.assemble(
            (_sign(loud), _COLOURS[loud]), (rule_text(stopping), _emphasis(loud) or "bold"), "   "
        )
        picture = Text.assemble(*bar(stopping, loud))
        if picture.cell_len + head.cell_len + len(best_text(stopping)) <= width:
            head = picture + head
        parts = filter(None, [best_text(stopping), since, target_text(stopping)])
        return head.append(_that_fit(parts, width - head.cell_len))

    def _alarm(self, stopping: Stopping) -> Alarm:
        return alarm(stopping, epochs_to_wait(self.state))

    def _news(self, outlook: Outlook) -> Text:
        """The latest end, or what is more urgent than that."""
        if self.state.not_finite is not None:
            return Text(f"! {event_text(self.state.not_finite)}", "bold red")
        if self.state.stop_requested is not None:
            when = "after this epoch" if self.state.stop_requested == "epoch" else "now"
            return Text(f"  stops {when}, as it was asked to", "bold yellow")
        if self.state.paused:
            return Text("  paused: nothing runs out until it goes on", "yellow")
        return Text(f"  {latest_end_text(outlook)}")


def bar(stopping: Stopping, loud: Alarm, cells: int = _BAR_CELLS) -> list[tuple[str, str]]:
    """The bar empties as the rule comes nearer to its end of the run."""
    left = share_left(stopping)
    if left is None:
        return []
    filled = math.ceil(left * cells - 1e-9)  # 0.1 + 0.2 is 3 cells and not 4
    colour = _COLOURS[loud].replace("reverse ", "")
    return [("█" * filled, colour), ("░" * (cells - filled), "dim"), (" ", "")]


def _that_fit(parts: Iterable[str], width: int) -> str:
    """The first of some parts and those that fit whole behind it."""
    words, *rest = parts
    for part in rest:
        if len(f"{words}, {part}") > width:
            break
        words += f", {part}"
    return words


def _sign(loud: Alarm) -> str:
    sign = _SIGNS[loud].strip()
    return f"{sign} " if sign else ""


def _emphasis(loud: Alarm) -> str:
    return _COLOURS[loud] if loud in ("quarter", "last") else ""
