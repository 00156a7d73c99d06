"""What a picture does not show as it was measured, in as many words as there is room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..look.palette import Palette, Role
from ..look.view import View
from ..words.wording import printable
from .frame import Frame
from .marks import Marks

Words = list[tuple[str, Role]]
# From whole sentences to what a narrow pane holds; the signs and numbers are in all of them.
Brevity = Literal[0, 1, 2]
_BREVITIES: tuple[Brevity, ...] = (0, 1, 2)
_GAP = 2


def fitting_caveats(
    frame: Frame, marks: Marks, view: View, palette: Palette, width: int
) -> list[Words]:
    """All caveats in the most words in which they fit on a line, else in the fewest."""
    items: list[Words] = []
    for brevity in _BREVITIES:
        items = list(caveats(frame, marks, view, palette, brevity))
        if sum(len(text) + _GAP for item in items for text, _ in item) - _GAP <= width:
            break
    return items


def caveats(
    frame: Frame, marks: Marks, view: View, palette: Palette, brevity: Brevity = 0
) -> Iterator[Words]:
    """Losses that were no numbers, values beyond the axes, values that have no logarithm."""
    for text in _bad_texts(frame, marks, palette.glyphs.bad, brevity):
        yield [(text, "bad")]
    if frame.num_clipped:
        clipped = "" if brevity > 1 else " clipped"
        yield [(f"{palette.glyphs.above} {frame.num_clipped:,}{clipped}", "bad")]
    if frame.num_unplottable:
        yield [(_unplottable_text(frame, brevity), "bad")]
    if view.right is not None and not frame.right_lines:
        yield [(f"no finite {printable(view.right)} to draw", "note")]


def _bad_texts(frame: Frame, marks: Marks, sign: str, brevity: Brevity) -> Iterator[str]:
    """The first loss that was no number, and how many epochs have one."""
    bad, epochs = marks.not_finite, frame.num_bad
    if bad is None:
        if epochs:
            yield f"{sign} {_epochs_text(epochs, brevity)}"
    elif brevity == 0:
        yield f"{sign} {bad.which} loss {bad.value} at epoch {bad.epoch:,}, step {bad.step:,}"
        if epochs > 1:
            yield _epochs_text(epochs, brevity)
    else:
        count = f", {epochs:,} epochs" if epochs > 1 and brevity == 1 else ""
        yield f"{sign} {bad.which} {bad.value} at {bad.epoch:,}{count}"


def _epochs_text(epochs: int, brevity: Brevity) -> str:
    if brevity:
        return f"{epochs:,} not finite"
    return f"{epochs:,} epoch{'s' if epochs != 1 else ''} without a finite loss"


def _unplottable_text(frame: Frame, brevity: Brevity) -> str:
    count = frame.num_unplottable
    none_left = not any(len(line.ys) > 0 for line in frame.lines) or not frame.y_axis.labels[0]
    if brevity > 1:
        return f"{count:,} <= 0"
    rest = ", nothing to draw" if none_left else ""
    values = f" value{'s' if count != 1 else ''}" if brevity == 0 else ""
    return f"{count:,}{values} <= 0 not on a log axis{rest}"
