"""What `compare` prints: what differs, what each run has reached, all curves in one picture."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ...core.run.comparison import FEWEST_RUNS, MOST_RUNS, ComparedRun, Comparison, compare
from ...core.run.directory import Run, find_run
from ...core.run.status import run_status
from ..comparing.compared import compared_run
from ..comparing.table import Words, comparison_lines, labels_of
from ..following.reading import read_state
from ..following.state import RunState
from ..following.verdicts import verdict_json
from ..look.view import View
from . import output
from .misreading import warn_of_misread

if TYPE_CHECKING:
    from ..look.palette import Palette

_CURVE_WIDTH, _CURVE_HEIGHT = 100, 24


def compare_runs(texts: Sequence[str], runs: Path, *, as_json: bool) -> int:
    """Print runs side by side.

    Raises:
        click.UsageError: too few runs are named, too many, or one twice.
        RunError: a run is not found.
    """
    named = _distinct([find_run(text, runs) for text in texts])
    states = [read_state(run) for run in named]
    comparison = compare(
        [
            compared_run(run, state, run_status(run))
            for run, state in zip(named, states, strict=True)
        ]
    )
    if as_json:
        document = msgspec.json.encode(comparison_json(comparison, named))
        output.write_json(msgspec.json.format(document, indent=2))
    else:
        _print(comparison, named, states)
    for run, state in zip(named, states, strict=True):
        warn_of_misread(run, state)
    return 0


def comparison_json(comparison: Comparison, runs: Sequence[Run]) -> dict[str, Any]:
    """A comparison in plain types; a setting that a run does not say is not in its `settings`."""
    return {
        "runs": [
            _run_json(compared, run) | {"settings_not_said": not_said}
            for compared, run, not_said in zip(
                comparison.runs, runs, comparison.not_said, strict=True
            )
        ],
        "settings_that_differ": [each.setting for each in comparison.differences],
        "losses_can_be_compared": comparison.is_fair,
        "differ_in": comparison.differ_in,
    }


def _run_json(run: ComparedRun, files: Run) -> dict[str, Any]:
    best = run.best
    return {
        "run": run.name,
        "path": str(files.path),
        "state": run.status.state,
        "paused": run.paused,
        "reason": run.status.reason,
        "epoch": run.epoch,
        "epochs": run.num_epochs,
        "best_loss": best.val_loss if best else None,
        "best_epoch": best.epoch if best else None,
        "train_loss_at_best": best.train_loss if best else None,
        "train_loss_measured_in": best.train_measured_in if best else None,
        "gap": best.gap if best else None,
        "penalty_at_best": best.penalty if best else None,
        "seconds_to_best": best.seconds if best else None,
        "verdict": verdict_json(run.verdict),
        "num_val": run.num_val,
        "baseline_loss": run.baseline_loss,
        "settings": run.settings,
        "began_with": run.began_with,
    }


def _print(comparison: Comparison, runs: Sequence[Run], states: Sequence[RunState]) -> None:
    from ..look import palette

    colours = palette.DARK if output.wants_colour() else palette.PLAIN
    columns = shutil.get_terminal_size((_CURVE_WIDTH, 0)).columns
    labels = labels_of([run.name for run in runs], [run.label for run in runs])
    for line in comparison_lines(comparison, labels, columns):
        output.write_ansi(_text(line, colours))
    if curves := _curves(labels, states, min(columns, _CURVE_WIDTH), colours):
        output.write_ansi("\n" + "\n".join(_text(line, colours) for line in curves))


def _curves(
    labels: Sequence[str], states: Sequence[RunState], width: int, colours: "Palette"
) -> list[Words] | None:
    """The picture; None before any run has an epoch."""
    from ..curve import plot
    from ..curve.marks import marks_of
    from ..curve.overlay import Overlaid, fitting_scale
    from ..curve.overlay_drawing import OverlayDrawing

    overlaid = [
        Overlaid(label, state.history, marks_of(state))
        for label, state in zip(labels, states, strict=True)
    ]
    view = View(scale=fitting_scale(overlaid))
    size = max(width, plot.MIN_WIDTH), _CURVE_HEIGHT
    return OverlayDrawing().lines(overlaid, view, size, colours)


def _text(line: Words, colours: "Palette") -> str:
    from ..curve.picture import coloured

    return "".join(coloured(text, role, colours) for text, role in line).rstrip()


def _distinct(runs: Sequence[Run]) -> list[Run]:
    """The runs, if there are as many as can be compared and no two are the same."""
    paths = [run.path.resolve() for run in runs]
    twice = next(
        (run for run, path in zip(runs, paths, strict=True) if paths.count(path) > 1), None
    )
    if twice is not None:
        raise click.UsageError(f"run {twice.name} is named twice; a comparison takes other runs")
    if not FEWEST_RUNS <= len(runs) <= MOST_RUNS:
        found = f"found {len(runs)} run{'' if len(runs) == 1 else 's'}"
        raise click.UsageError(f"{found}; allowed: {FEWEST_RUNS} to {MOST_RUNS} to compare")
    return list(runs)
