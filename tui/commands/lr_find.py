"""What `lr-find` does and prints: a table, the curve, and the rate to train with."""

import math
import shutil
from contextlib import nullcontext
from typing import TYPE_CHECKING

import msgspec

from ...core.errors import EpochtopError, TaskError
from ...core.events import Event, Warned
from ...core.settings.declaration import Settings
from ..words import wording
from . import output

if TYPE_CHECKING:
    from ...core.training.lr_range import LrRange

_CURVE_WIDTH, _CURVE_HEIGHT = 100, 20
_ROWS = 9


def lr_find(settings: Settings, *, lowest: float, highest: float, steps: int, as_json: bool) -> int:
    """Run a learning-rate range test on a new model; no run is created."""
    with output.stdout_kept_for_json() if as_json else nullcontext():
        found = _find(settings, lowest, highest, steps, shows_steps=not as_json)
    if as_json:
        output.write_json(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return 0
    for line in table_lines(found):
        output.write_line(line)
    if curve := curve_text(found):
        output.write_ansi(f"\n{curve}\n")
    for line in result_lines(found):
        output.write_line(line)
    return 0


def _find(
    settings: Settings, lowest: float, highest: float, steps: int, *, shows_steps: bool
) -> "LrRange":
    from ...core.engine.preparation import prepare
    from ...core.training.lr_range import find_lr, growing_rates

    growing_rates(lowest, highest, steps)  # what is wrong with them shows before data are loaded
    preparation = prepare(settings)
    for warning in preparation.warnings:
        output.warn(f"epochtop: {warning}")
    preparation.trainer.on_event = _warn
    redraws = shows_steps and output.is_terminal()

    def show(step: int, rate: float) -> None:
        if redraws:
            output.redraw_line(f"step {step} of {steps}, learning rate {rate:.3g}", _columns() - 1)

    try:
        return find_lr(preparation.trainer, lowest, highest, steps, on_step=show)
    except EpochtopError:
        raise
    except Exception as error:
        if not settings.task:
            raise
        raise TaskError(f"{settings.task}: {type(error).__name__}: {error}") from error
    finally:
        if redraws:
            output.redraw_line("", 0)


def _warn(event: Event) -> None:
    if isinstance(event, Warned):
        output.warn(f"epochtop: {event.message}")


def table_lines(found: "LrRange") -> list[str]:
    """About a row a decade of rates, and those that matter."""
    last = len(found.rates) - 1
    notes = {found.rates.index(rate): note for rate, note in _marked(found)}
    if found.ending != "completed":
        notes[last] = found.message
    indices = {round(last * row / (_ROWS - 1)) for row in range(_ROWS)} | set(notes)
    lines = ["learning rate  loss        smoothed"]
    for index in sorted(indices):
        loss, smoothed = _text(found.losses[index]), _text(found.smoothed[index])
        note = f"  <- {notes[index]}" if index in notes else ""
        lines.append(f"{found.rates[index]:>13.3g}  {loss:<10}  {smoothed:<10}{note}".rstrip())
    return lines


def curve_text(found: "LrRange") -> str | None:
    """The curve for stdout, in colour where it shows colour; None without a finite loss."""
    from ..curve import plot_rates, rate_curve

    width = max(min(_columns(), _CURVE_WIDTH), plot_rates.MIN_WIDTH)
    frame = rate_curve.build_rate_frame(found, width=width, height=_CURVE_HEIGHT)
    if frame is None:
        return None
    style = plot_rates.COLOURED_RATES if output.wants_colour() else plot_rates.PLAIN_RATES
    above = "\n(losses above the picture lie on its upper edge)" if frame.has_losses_above else ""
    return f"{plot_rates.rate_legend(style)}\n{plot_rates.draw_rates(frame, style)}{above}"


def result_lines(found: "LrRange") -> list[str]:
    """Why the test ended, what it found, and last the option to use it."""
    ended = f"ended after {len(found.rates)} steps: {found.message}"
    if found.suggestion is None:
        return [
            ended,
            "no suggestion: no rate in the range lowers the loss by more than its batches differ",
            "try another range (--lowest, --highest) or more --steps",
        ]
    lines = [
        ended,
        f"the loss falls most steeply at {found.steepest_at:.3g} "
        f"and is lowest at {found.lowest_at:.3g}",
    ]
    if found.lowest_at == found.rates[-1]:
        lines.append("it still falls at the highest rate: a larger --highest may show more")
    is_steepest = found.suggestion == found.steepest_at
    why = "the steepest" if is_steepest else "about a tenth of the lowest's, to be safe"
    return [
        *lines,
        f"suggested learning rate: {found.suggestion:.3g} ({why})",
        f"to train with it: --set optim.lr={found.suggestion:.3g}",
    ]


def _marked(found: "LrRange") -> list[tuple[float, str]]:
    marks = [(found.lowest_at, "lowest"), (found.suggestion, "suggestion")]
    return [(rate, note) for rate, note in marks if rate is not None]


def _text(loss: float) -> str:
    return wording.loss_text(loss) if math.isfinite(loss) else str(loss)


def _columns() -> int:
    return shutil.get_terminal_size((_CURVE_WIDTH, 0)).columns
