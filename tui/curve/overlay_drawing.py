"""The curves of several runs as lines of words: a legend, notes and the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..look.palette import BRAILLE, Palette
from ..look.run_colours import TRAIN_ROLES, VAL_ROLES
from ..look.view import LOSSES, View, of_what_is_measured
from ..words.wording import printable
from . import plot
from .caveats import Words, fitting_caveats
from .frame import Frame
from .legend import first_line, shortened, wrapped
from .marks import Marks
from .overlay import Overlaid, build_overlay, train_series
from .places import measured_axes

# Below this there is one line of legend and none for the notes.
_HEIGHT_FOR_NOTES = 10


class OverlayDrawing:
    """Draws the same runs again and again; axes keep still as long as they do."""

    def __init__(self) -> None:
        self._frame: Frame | None = None

    def lines(
        self, runs: Sequence[Overlaid], view: View, size: tuple[int, int], palette: Palette
    ) -> list[Words] | None:
        """Legend, notes and picture in so many cells; None without room or without an epoch."""
        view = of_what_is_measured(view, LOSSES, measured_axes(run.history for run in runs))
        width, height = size
        if width < plot.MIN_WIDTH or height <= plot.MIN_HEIGHT:
            return None
        legend = wrapped(_legend(runs, palette), width)
        has_notes = height >= _HEIGHT_FOR_NOTES
        room = height - plot.MIN_HEIGHT - has_notes
        legend = shortened(legend, min(len(legend), max(1, room if has_notes else 1)), width)
        num_over = len(legend) + has_notes
        self._frame = build_overlay(runs, view, (width, height - num_over), self._frame)
        if self._frame is None:
            return None
        notes = [
            *fitting_caveats(self._frame, Marks(), View(scale=view.scale), palette, width),
            *_notes(runs, view, palette),
        ]
        over = [*legend, first_line(notes, width)] if has_notes else legend
        return [*over, *plot.draw(self._frame, palette).rows()]


def _legend(runs: Sequence[Overlaid], palette: Palette) -> Iterator[Words]:
    for run, val, train in zip(runs, VAL_ROLES, TRAIN_ROLES, strict=False):
        waits = "" if len(run.history) else " (no epoch yet)"
        yield [
            (palette.sample(val), val),
            (palette.sample(train), train),
            (f" {printable(run.label)}{waits}", "text"),
        ]


def _notes(runs: Sequence[Overlaid], view: View, palette: Palette) -> Iterator[Words]:
    """How the picture's lines are told apart, and how they are looked at."""
    train = "train (eval)" if train_series(runs) == "train_loss_eval" else "train"
    if palette.glyphs.lines.get("run_1", BRAILLE) == BRAILLE:
        yield [(f"bright: val, dim: {train}, {palette.glyphs.best}: best", "note")]
    else:
        yield [(f"numbers: val, letters: {train}, {palette.glyphs.best}: best", "note")]
    if view.scale == "log":
        yield [("log y", "note")]
    if view.x_axis != "epoch":
        yield [(f"x: {view.x_axis}", "note")]
