"""A comparison of runs as a table: a column a run, or where that is too wide a block a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size

from ...core.run.comparison import AtBest, ComparedRun, Comparison
from ...core.settings.values import value_text
from ..look.palette import Role
from ..look.run_colours import VAL_ROLES
from ..words.verdict_wording import short_verdict
from ..words.wording import duration_text, loss_text, printable, status_text
from ..words.wrapping import wrapped

Words = list[tuple[str, Role]]
_GAP = 2
_UNKNOWN = "-"
_MOST_NAMED = 3


class Row(msgspec.Struct, frozen=True):
    """A quantity, and what it is in each run."""

    name: str
    cells: tuple[str, ...]


def comparison_lines(comparison: Comparison, labels: Sequence[str], width: int) -> list[Words]:
    """The settings that differ, what each run has reached, and what to beware of."""
    settings, results = setting_rows(comparison), result_rows(comparison)
    rows = [*settings, *results]
    widths = [max(cell_len(row.name) for row in rows)]
    for number, label in enumerate(labels):
        widths.append(max(cell_len(label), *(cell_len(row.cells[number]) for row in rows)))
    lines = _notes(comparison, labels, width)
    if sum(widths) + _GAP * len(labels) > width:
        return [*lines, *_blocks(rows, labels, width)]
    header = Row("", tuple(labels))
    table = [_line(row, widths) for row in (header, *settings)]
    if settings:
        table.append([])
    return [*lines, *table, *(_line(row, widths) for row in results)]


def labels_of(names: Sequence[str], labels: Sequence[str]) -> list[str]:
    """What to call runs: without their times, unless two would be called the same."""
    short = len(set(labels)) == len(labels)
    return [printable(name) for name in (labels if short else names)]


def setting_rows(comparison: Comparison) -> list[Row]:
    """A row for each setting that differs."""
    return [
        Row(
            printable(difference.setting),
            tuple(_value_cell(value) for value in difference.values),
        )
        for difference in comparison.differences
    ]


def result_rows(comparison: Comparison) -> list[Row]:
    """What the runs have reached; rows that no run can fill are left out but the main ones."""
    runs = comparison.runs
    measured_in = {run.best.train_measured_in for run in runs if run.best is not None}
    differs = len(measured_in) > 1
    rows = [
        Row("status", tuple(status_text(run.status, paused=run.paused) for run in runs)),
        Row("epochs", tuple(f"{run.epoch:,}/{_count(run.num_epochs)}" for run in runs)),
        _best_row("best val loss", runs, lambda best: loss_text(best.val_loss)),
        _best_row(_train_name(measured_in), runs, lambda best: _train_cell(best, says_how=differs)),
        _best_row("gap (val - train)", runs, lambda best: _loss_cell(best.gap)),
        _best_row("epochs to best", runs, lambda best: f"{best.epoch:,}"),
        _best_row("time to best", runs, lambda best: _time_cell(best.seconds)),
        Row("verdict", tuple(_verdict_cell(run) for run in runs)),
    ]
    if any(run.best is not None and run.best.penalty for run in runs):
        rows.insert(5, _best_row("penalty there", runs, lambda best: _loss_cell(best.penalty)))
    return rows


def _verdict_cell(run: ComparedRun) -> str:
    return "-" if run.verdict is None else short_verdict(run.verdict)


def unfair_text(comparison: Comparison) -> str:
    """Why the losses cannot be compared; empty where nothing is known to be in the way."""
    if not comparison.differ_in:
        return ""
    what = ", ".join(printable(each) for each in comparison.differ_in)
    return f"These losses cannot be compared: the runs differ in {what}."


def unknown_data_text(comparison: Comparison, labels: Sequence[str]) -> str:
    """Which runs leave open whether losses can be compared; empty for none that has any."""
    runs = zip(comparison.runs, labels, strict=True)
    names = [label for run, label in runs if run.best is not None and not run.tells_of_data]
    if comparison.is_fair is not None or not names:
        return ""
    tell = "does not tell of its" if len(names) == 1 else "do not tell of their"
    return f"Whether these losses can be compared is not known: {', '.join(names)} {tell} data."


def changed_texts(comparison: Comparison, labels: Sequence[str]) -> list[str]:
    """Which settings had another value before, a sentence each."""
    return [
        f"{label} began with {printable(path)} = {_value_cell((value,))}"
        for run, label in zip(comparison.runs, labels, strict=True)
        for path, value in run.began_with.items()
    ]


def not_said_texts(comparison: Comparison, labels: Sequence[str]) -> Iterator[str]:
    """Which settings a run does not say and others do, a sentence a run, but those in the table."""
    in_table = {difference.setting for difference in comparison.differences}
    for run, not_said, label in zip(comparison.runs, comparison.not_said, labels, strict=True):
        if not_said and not run.settings:
            yield f"{label} does not say its settings"
        elif names := [name for name in not_said if name not in in_table]:
            more = len(names) - _MOST_NAMED
            some = ", ".join(map(printable, names[:_MOST_NAMED]))
            yield f"{label} does not say {some}{f' and {more} more' if more > 0 else ''}"


def _notes(comparison: Comparison, labels: Sequence[str], width: int) -> list[Words]:
    texts: list[tuple[str, Role]] = []
    if unfair := unfair_text(comparison):
        texts.append((unfair, "bad"))
    if not any(run.settings for run in comparison.runs):
        texts.append(("the journals tell no settings", "note"))
    elif not comparison.differences:
        said = "all settings that are said" if any(comparison.not_said) else "all settings"
        texts.append((f"{said} are the same", "note"))
    if unknown := unknown_data_text(comparison, labels):
        texts.append((unknown, "note"))
    more = *changed_texts(comparison, labels), *not_said_texts(comparison, labels)
    texts += [(text, "note") for text in more]
    return [[(row, role)] for text, role in texts for row in wrapped(text, width, indent="")]


def _line(row: Row, widths: Sequence[int]) -> Words:
    words: Words = [(set_cell_size(row.name, widths[0]), "note")]
    for number, (cell, width) in enumerate(zip(row.cells, widths[1:], strict=True)):
        role: Role = "text" if row.name else VAL_ROLES[number]
        words.append((" " * _GAP + set_cell_size(cell, width), role))
    return words


def _blocks(rows: Sequence[Row], labels: Sequence[str], width: int) -> Iterator[Words]:
    """A block a run; where a cell has no room beside its name it is under it."""
    indent, names = " " * _GAP, _GAP + max(cell_len(row.name) for row in rows)
    for number, label in enumerate(labels):
        yield [(label, VAL_ROLES[number])]
        for row in rows:
            cell = row.cells[number]
            if len(indent) + names + cell_len(cell) <= width:
                yield [(f"{indent}{set_cell_size(row.name, names)}", "note"), (cell, "text")]
                continue
            yield [(f"{indent}{row.name}", "note")]
            for text in wrapped(cell, width - 2 * len(indent), indent=""):
                yield [(f"{indent * 2}{text}", "text")]


def _best_row(name: str, runs: Sequence[ComparedRun], text: Callable[[AtBest], str]) -> Row:
    return Row(name, tuple(_UNKNOWN if run.best is None else text(run.best) for run in runs))


def _train_name(measured_in: Collection[str]) -> str:
    """What the train loss is called: how it was measured, if in all runs alike."""
    if len(measured_in) > 1:
        return "train loss there"
    return f"train loss ({'not eval' if 'training' in measured_in else 'eval'}) there"


def _train_cell(best: AtBest, *, says_how: bool) -> str:
    """The loss; where not all runs have measured it alike, how this one has."""
    text = _loss_cell(best.train_loss)
    if not says_how or best.train_loss is None:
        return text
    return f"{text} ({'eval' if best.train_measured_in == 'evaluation' else 'not eval'})"


def _loss_cell(loss: float | None) -> str:
    return _UNKNOWN if loss is None else loss_text(loss)


def _time_cell(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else duration_text(seconds)


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _value_cell(value: tuple[object, ...]) -> str:
    return printable(value_text(value[0])) or '""' if value else "not said"
