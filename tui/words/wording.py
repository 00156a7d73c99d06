"""Numbers, times and states in words, the same on the screen, in lines and in summaries."""

import math
import time

from ...core.events import FinishReason
from ...core.run.status import RunStatus
from ...core.wording import printable as printable  # noqa: PLC0414 - for all of the screen

_SECONDS_OF_A_YEAR = 365.0 * 86_400

_REASONS: dict[FinishReason, str] = {
    "completed": "completed",
    "early_stopped": "stopped early",
    "stopped": "stopped on request",
    "interrupted": "interrupted",
    "not_finite": "ended by a loss that is no number",
    "failed": "failed",
}


def loss_text(loss: float | None) -> str:
    """A loss to four digits that count; one that was not finite says so."""
    if loss is None:
        return "not finite"
    if loss != 0 and not 1e-3 <= abs(loss) < 1e5:
        return f"{loss:.3e}"
    return f"{loss:#.4g}".rstrip(".")


def duration_text(seconds: float) -> str:
    """Seconds as 0.7 s, 0:12, 12:34 or 1:02:03; years for what a broken clock makes of them."""
    if 0 <= seconds < 9.95:
        return f"{seconds:.1f} s"
    return _hours_text(seconds)


def date_text(seconds: float) -> str:
    """A moment as the local date and time; `-` for one that no calendar has."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):
        return "-"


def speed_text(epochs_per_second: float) -> str:
    """Epochs a second, or seconds an epoch when it takes longer than that."""
    if epochs_per_second >= 1:
        return f"{epochs_per_second:.3g} epochs/s"
    return f"{1 / epochs_per_second:.3g} s/epoch"


def reason_text(reason: FinishReason) -> str:
    """How a run ended."""
    return _REASONS[reason]


def status_text(status: RunStatus, *, paused: bool = False) -> str:
    """A run's state in a word or two; `paused` counts for a live one."""
    if status.reason is not None:
        return reason_text(status.reason)
    if paused and status.is_live:
        return "paused"
    return {
        "starting": "starting",
        "live": "live",
        "killed": "killed",
        "lost": "lost",
        "finished": "finished",
    }[status.state]


def clock_text(seconds: float) -> str:
    """A time that runs, in whole seconds: 0:07, 12:34 or 1:02:03."""
    return _hours_text(math.floor(seconds) if math.isfinite(seconds) else seconds)


def _hours_text(seconds: float) -> str:
    if not seconds < _SECONDS_OF_A_YEAR:
        return "years"
    minutes, second = divmod(round(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def samples_text(samples_per_second: float) -> str:
    """Samples a second to three digits that count: 640 or 28.7k or 1.30M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if samples_per_second >= size:
            return f"{samples_per_second / size:.3g}{unit} samples/s"
    return f"{samples_per_second:.3g} samples/s"
