"""What other stopping rules would have done: a table, and what follows from it in sentences."""

from __future__ import annotations

from ...core.settings.declaration import StoppingSettings
from ...core.stopping.whatif import Outcome
from ..following.replay import Replay
from .wording import loss_text
from .wrapping import wrapped

_HEADER = ("", "rule", "stop", "best val", "at epoch", "saves", "loses")
_NARROW_GAP = " "
_USUAL_STRIP = StoppingSettings().strip_epochs
# What goes first in a narrow place, and the gap between what is left.
_LAYOUTS: tuple[tuple[tuple[str, ...], str], ...] = (
    ((), "  "),
    (("at epoch",), "  "),
    (("at epoch", "best val"), "  "),
    (("at epoch", "best val"), _NARROW_GAP),
)


def rule_name(rule: StoppingSettings) -> str:
    """A rule by its name and all of its numbers."""
    return ", ".join([_short_name(rule), *_limits(rule)])


def _short_name(rule: StoppingSettings) -> str:
    """A rule by what sets it apart from others."""
    match rule.rule:
        case "patience":
            name = f"patience {rule.patience}" if rule.patience else "no early stopping"
            if rule.patience and rule.min_delta:
                relative = " relative" if rule.min_delta_mode == "relative" else ""
                name += f", min_delta {rule.min_delta:g}{relative}"
        case "gl" | "pq":
            name = f"{rule.rule.upper()} above {rule.alpha:g}"
        case "up":
            name = f"UP in {rule.strips} strip{'' if rule.strips == 1 else 's'}"
    if rule.rule in ("pq", "up") and rule.strip_epochs != _USUAL_STRIP:
        name += f"{' of' if rule.rule == 'up' else ', strips of'} {rule.strip_epochs}"
    return name


def _limits(rule: StoppingSettings) -> list[str]:
    """What goes for any kind of rule: when it may stop at the earliest, and thresholds."""
    limits = [f"from epoch {rule.min_epochs:,}"] if rule.min_epochs else []
    if rule.satisfied_below is not None:
        limits.append(f"satisfied below {rule.satisfied_below:g}")
    if rule.diverged_above is not None:
        limits.append(f"diverged above {rule.diverged_above:g}")
    return limits


def _common_limits(replay: Replay) -> list[str]:
    """The limits that all of several rules have, which are said once."""
    limits = [_limits(each.rule) for each in replay.found.outcomes]
    if not limits[1:]:  # one alone has nothing in common
        return []
    return [limit for limit in limits[0] if all(limit in each for each in limits)]


def _name(replay: Replay, rule: StoppingSettings) -> str:
    """A rule among the others."""
    common = _common_limits(replay)
    return ", ".join([_short_name(rule), *(own for own in _limits(rule) if own not in common)])


def table_lines(replay: Replay, width: int) -> list[str]:
    """A line a rule under a header, as many columns of it as a width has room for.

    Where not even the most important ones have, each rule's numbers are under its name.
    """
    table = [_HEADER, *(_row(replay, letter, each) for letter, each in replay.lettered)]
    for left_out, gap in _LAYOUTS:
        kept = [index for index, name in enumerate(_HEADER) if name not in left_out]
        rows = [[row[index] for index in kept] for row in table]
        if gap == _NARROW_GAP:  # the loss is enough, its share would be cut
            rows = [[*row[:-1], row[-1].partition(" (")[0]] for row in rows]
        lines = _aligned(rows, gap)
        if max(map(len, lines)) <= width:
            return lines
    return _with_names_above(table, width)


def sentences(replay: Replay) -> list[str]:
    """Which rule is best, what the run's own did, and what cannot be told from the recording."""
    found = replay.found
    if not found.num_epochs:
        return ["No epoch is recorded yet: there is nothing to replay."]
    told = [_best_text(replay), _own_text(replay)]
    if common := _common_limits(replay):
        told.append(f"For all of these: {', '.join(common)}.")
    if found.best_epoch is not None:
        told.append(
            f"What a rule loses is against {loss_text(found.best_loss)} at epoch "
            f"{found.best_epoch:,}, the lowest of the {_epochs(found.num_epochs)} recorded."
        )
    if any(each.stop_epoch is None for each in found.outcomes) and not found.has_all_epochs:
        told.append(
            f"A rule marked - would not have stopped by epoch {found.last_epoch:,}, the last one "
            "recorded: it cannot be judged."
        )
    if found.is_numbered_anew:
        told.append(
            "The journal does not number its epochs 1, 2, 3 and so on: a rule counts those that "
            "are there."
        )
    return [each for each in told if each]


def _best_text(replay: Replay) -> str:
    best = replay.found.best
    if best is None:
        return "None of these rules can be judged by this recording."
    own = ", the run's own" if replay.is_own(best) else ""
    return f"Best of these: {_name(replay, best.rule)}{own}. It {_deeds(replay, best)}."


def _own_text(replay: Replay) -> str:
    if replay.own is None:
        return "The journal does not say which rule the run itself has."
    own = next((each for each in replay.found.outcomes if replay.is_own(each)), None)
    if own is None or own is replay.found.best:
        return ""
    return f"The run's own rule, {_name(replay, own.rule)}, {_deeds(replay, own)}."


def _deeds(replay: Replay, outcome: Outcome) -> str:
    """What a rule does, as the end of a sentence."""
    if outcome.stop_epoch is None:
        return "never stops" if replay.found.has_all_epochs else "has not stopped the run so far"
    kept = "keeps nothing finite"
    if outcome.best_epoch is not None:
        kept = f"keeps {loss_text(outcome.best_loss)} of epoch {outcome.best_epoch:,}"
    saved = outcome.epochs_saved
    saves = f"saves {saved:,} of {_epochs(replay.found.num_epochs)}" if saved else "saves no epoch"
    return f"stops at epoch {outcome.stop_epoch:,}, {kept}, {saves} and loses {_loss(outcome)}"


def _row(replay: Replay, letter: str, outcome: Outcome) -> tuple[str, ...]:
    stop, best = outcome.stop_epoch, outcome.best_epoch
    never = "never" if replay.found.has_all_epochs else "-"
    return (
        letter,
        _name(replay, outcome.rule) + (" (own)" if replay.is_own(outcome) else ""),
        never if stop is None else f"{stop:,}",
        "-" if best is None else loss_text(outcome.best_loss),
        "-" if best is None else f"{best:,}",
        f"{outcome.epochs_saved:,}" if stop is not None or replay.found.has_all_epochs else "-",
        _loss(outcome),
    )


def _loss(outcome: Outcome) -> str:
    if outcome.regret is None:
        return "-"
    if not outcome.regret:
        return "nothing"
    share = outcome.relative_regret
    relative = "" if share is None else f" ({_percent(100 * share)} %)"
    return f"{loss_text(outcome.regret)}{relative}"


def _percent(share: float) -> str:
    """A share in whole percent, small ones in two digits."""
    return f"{share:,.0f}" if 10 <= share < 1e6 else f"{share:.2g}"


def _epochs(number: int) -> str:
    return f"{number:,} epoch{'' if number == 1 else 's'}"


def _with_names_above(table: list[tuple[str, ...]], width: int) -> list[str]:
    """A header, and for each rule its name, in several lines if it is long, over its numbers."""
    # two empty columns are the indent
    rows = [["", "", *row[2:-1], row[-1].partition(" (")[0]] for row in table]
    head, *numbers = _aligned(rows, _NARROW_GAP)
    lines = [head]
    for row, figures in zip(table[1:], numbers, strict=True):
        lines += [*wrapped(f"{row[0]} {row[1]}", width - 2, "  "), figures]
    return lines


def _aligned(rows: list[list[str]], gap: str) -> list[str]:
    """Names to the left, numbers to the right, the last column to the left again."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    return [
        gap.join(
            cell.ljust(width) if index in (0, 1, last) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
