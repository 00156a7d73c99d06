"""The lines over the picture: what stands for what and how much it is, and what to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..look.palette import Palette, Role
from ..look.view import View
from ..words.wording import duration_text, loss_text
from .caveats import Words, fitting_caveats
from .cursor import Reading, Value
from .frame import Frame
from .marks import Marks

_GAP = "  "
_MORE = " …"
_WIDTH_FOR_NAMES = 54


def legend_lines(
    reading: Reading, marks: Marks, view: View, palette: Palette, width: int
) -> list[Words]:
    """The legend in one line if it can be, else in as many as it needs.

    What the two main lines are called matters more than the best, which has a mark and a pane of
    its own; where not even the names fit their samples have to do.
    """
    for names, best in ((True, True), (True, False), (False, True)):
        items = legend_items(reading, marks, view, palette, names=names, best=best)
        if len(lines := wrapped(items, width)) == 1:
            return lines
    names = width >= _WIDTH_FOR_NAMES
    return wrapped(legend_items(reading, marks, view, palette, names=names), width)


def legend_items(  # noqa: PLR0913 - what is told, and two choices of how
    reading: Reading,
    marks: Marks,
    view: View,
    palette: Palette,
    *,
    names: bool,
    best: bool = True,
) -> list[Words]:
    """Each series' sample and value, the best; under the cursor first the epoch.

    Args:
        reading: the values to tell.
        marks: where the best is.
        view: whether there is a cursor.
        palette: what the samples look like.
        names: whether there is room for the names of the two main lines.
        best: whether there is room for the best.
    """
    items = [_place(reading, names=names)] if view.cursor is not None else []
    values = [_value(value, palette, names=names) for value in reading.values]
    if marks.best_loss is None or view.cursor is not None or not best:
        return [*items, *values]
    loss = f" {'best ' if names else ''}{loss_text(marks.best_loss)} at {marks.best_epoch}"
    # behind the two main lines: what comes last is the first to find no room
    num_main = sum(value.role in ("train", "val") for value in reading.values)
    values.insert(num_main, [(palette.glyphs.best, "best"), (loss, "text")])
    return [*items, *values]


def _place(reading: Reading, *, names: bool) -> Words:
    where = f"epoch {reading.epoch:,}"
    if names:
        where += f", step {reading.step:,}" if reading.step else ""
        where += f", {duration_text(reading.seconds)}"
    return [(f"{where}:", "cursor")]


def _value(value: Value, palette: Palette, *, names: bool) -> Words:
    name = f"{value.label} " if names or value.role not in ("train", "val") else ""
    if value.role == "right":
        name = f"{value.label} (right) "
    words: Words = [(palette.sample(value.role), value.role)]
    words.append((f" {name}{_text(value)}", "text"))
    if value.smoothed is not None:
        words.append((f" ({loss_text(value.smoothed)})", "note"))
    return words


def _text(value: Value) -> str:
    if value.raw is None and value.role in ("penalty", "train_plus_penalty", "right"):
        return "none"  # not measured is as likely as not finite
    return loss_text(value.raw)


def note_items(frame: Frame, marks: Marks, view: View, palette: Palette, width: int) -> list[Words]:
    """What one has to know to read the picture, the most important first."""
    return [
        *fitting_caveats(frame, marks, view, palette, width),
        *_verdict(marks),
        *_way_of_looking(frame, view),
        *_rule(marks),
    ]


def _way_of_looking(frame: Frame, view: View) -> Iterator[Words]:
    for text in _settings(frame, view):
        yield [(text, "note")]


def _settings(frame: Frame, view: View) -> Iterator[str]:
    if view.scale == "log":
        yield "log y"
    if view.x_axis != "epoch":
        yield f"x: {view.x_axis}"
    if view.smoothing:
        yield f"EMA {view.smoothing:g}"
    if view.window is not None:
        low, high = frame.x_axis.low, frame.x_axis.high
        if view.x_axis == "time":
            yield f"{duration_text(low)} to {duration_text(high)}"
        else:
            yield f"{view.x_axis}s {low:,.0f} to {high:,.0f}"
        if view.follows:
            yield "follows"
    if not view.clips:
        yield "unclipped"


def _verdict(marks: Marks) -> Iterator[Words]:
    if marks.verdict:
        yield [(marks.verdict, "target")]


def _rule(marks: Marks) -> Iterator[Words]:
    if marks.stopped_at is not None:
        yield [(f"stopped early at {marks.stopped_at:,}", "stop")]
    elif marks.patience is not None:
        yield [(f"patience ends at {marks.patience.until_epoch:,}", "patience")]
    if marks.target is not None and marks.stopped_at is None:
        yield [(f"to beat {loss_text(marks.target)}", "target")]


def wrapped(items: Iterable[Words], width: int) -> list[Words]:
    """Items side by side, on as many lines as they need."""
    lines: list[Words] = [[]]
    for item in items:
        if lines[-1] and not _fits(lines[-1], item, width):
            lines.append([])
        _add(lines[-1], item)
    return lines


def first_line(items: Iterable[Words], width: int) -> Words:
    """Items side by side on one line; those that do not fit any more are left out."""
    line: Words = []
    for item in items:
        if not line:
            line = _cut(item, width)
        elif _fits(line, item, width):
            _add(line, item)
    return line


def shortened(lines: list[Words], count: int, width: int) -> list[Words]:
    """The first lines, with a sign where there were more."""
    if count >= len(lines) or count < 1:
        return lines[:count]
    *kept, last = lines[:count]
    left = width - len(_MORE)
    shown = [
        (text[: max(0, left - _length(last[:at]))], role) for at, (text, role) in enumerate(last)
    ]
    return [*kept, [*shown, (_MORE, "note")]]


def _cut(item: Words, width: int) -> Words:
    """An item that has a line for itself, with a sign where it is too long for that, too."""
    if _length(item) <= width:
        return list(item)
    role = item[0][1]
    return [(f"{''.join(text for text, _ in item)[: width - 1]}…", role)]


def _fits(line: Words, item: Words, width: int) -> bool:
    return _length(line) + len(_GAP) + _length(item) <= width


def _add(line: Words, item: Words) -> None:
    if line:
        line.append((_GAP, "text"))
    line += item


def _length(words: Sequence[tuple[str, Role]]) -> int:
    return sum(len(text) for text, _ in words)
