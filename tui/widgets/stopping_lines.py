"""What the early-stopping pane says: the rule's state, louder as patience runs low. Pure."""

import math

from rich.text import Text

from ...core.events import Stopping
from ...core.run.directory import Run
from ...core.run.status import RunStatus
from ..following.patience import Alarm, Outlook, alarm, share_left
from ..following.pulse import Pulse
from ..following.state import RunState
from ..words import wording
from ..words.event_wording import event_text
from ..words.stopping_wording import (
    best_text,
    early_end_text,
    latest_end_text,
    rule_text,
    since_text,
    target_text,
)
from ..words.summary import closing_lines

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
    width, height = size
    stopping = state.stopping
    if stopping is None:
        return _nothing_measured(state)
    if height == 1:
        return [_one_line(stopping, width)]
    if run is not None and status is not None and not status.is_live:
        return _end(run, state, status, width)
    outlook = Outlook.of(state, pulse.silence)
    early = Text(f"  {early_end_text(outlook, stopping)}", _emphasis(stopping))
    return [_head(stopping), early, _news(state, outlook)]


def _end(run: Run, state: RunState, status: RunStatus, width: int) -> list[Text]:
    """How it has ended, where there is room for more than a line."""
    first, *rest = map(wording.printable, closing_lines(run, state, status, width - 2))
    return [Text(first, "bold"), *(Text(f"  {line}") for line in rest)]


def _nothing_measured(state: RunState) -> list[Text]:
    lines = [Text("early stopping: nothing measured yet", "dim")]
    if state.not_finite is not None:
        lines.append(Text(f"! {event_text(state.not_finite)}", "bold red"))
    return lines


def _one_line(stopping: Stopping, width: int) -> Text:
    """What is left comes first; what does not fit is left out from the end."""
    loud = alarm(stopping)
    style = _COLOURS[loud] if loud in ("quarter", "last") else ""
    parts = [rule_text(stopping), best_text(stopping), since_text(stopping)]
    parts += filter(None, [target_text(stopping)])
    picture = bar(stopping, _BAR_CELLS if width >= _WIDTH_FOR_BAR else _SHORT_BAR_CELLS)
    room = width - sum(len(text) for text, _ in picture) - len(_sign(stopping))
    if len(", ".join(parts[:2])) > room:
        picture = []
    words = _sign(stopping) + parts[0]
    for part in parts[1:]:
        if sum(len(text) for text, _ in picture) + len(f"{words}, {part}") > width:
            break
        words += f", {part}"
    return Text.assemble(*picture, (words, style or ("" if picture else _COLOURS[loud])))


def _head(stopping: Stopping) -> Text:
    # in a place as wide as it may become, or all behind it would move
    since = since_text(stopping).rjust(len(f"{stopping.patience} since"))
    parts = [best_text(stopping), since, target_text(stopping)]
    return Text.assemble(
        *bar(stopping),
        (_sign(stopping), _COLOURS[alarm(stopping)]),
        (rule_text(stopping), _emphasis(stopping) or "bold"),
        "   " + ", ".join(filter(None, parts)),
    )


def _news(state: RunState, outlook: Outlook) -> Text:
    """The latest end, or what is more urgent than that."""
    if state.not_finite is not None:
        return Text(f"! {event_text(state.not_finite)}", "bold red")
    if state.stop_requested is not None:
        when = "after this epoch" if state.stop_requested == "epoch" else "now"
        return Text(f"  stops {when}, as it was asked to", "bold yellow")
    if state.paused:
        return Text("  paused: nothing runs out until it goes on", "yellow")
    return Text(f"  {latest_end_text(outlook)}")


def bar(stopping: Stopping, cells: int = _BAR_CELLS) -> list[tuple[str, str]]:
    """The bar empties as the rule comes nearer to its end of the run."""
    left = share_left(stopping)
    if left is None:
        return []
    filled = math.ceil(left * cells - 1e-9)  # 0.1 + 0.2 is 3 cells and not 4
    colour = _COLOURS[alarm(stopping)].replace("reverse ", "")
    return [("█" * filled, colour), ("░" * (cells - filled), "dim"), (" ", "")]


def _sign(stopping: Stopping) -> str:
    sign = _SIGNS[alarm(stopping)].strip()
    return f"{sign} " if sign else ""


def _emphasis(stopping: Stopping) -> str:
    loud = alarm(stopping)
    return _COLOURS[loud] if loud in ("quarter", "last") else ""
