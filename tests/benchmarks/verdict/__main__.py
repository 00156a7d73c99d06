"""How often the verdict is right, on runs whose truth is known from rows that they never saw.

    python -m tests.benchmarks.verdict [RUNS_A_FAMILY [FIRST [FILE]]]

Trains RUNS_A_FAMILY (50) runs of every family from its run FIRST (0) on, or takes them from FILE,
which is written otherwise.
"Right" is where a rule commits itself, and of all runs, of which those that are left open are not:
by that a rule that leaves none open compares with the verdict. "Ever a false alarm" is in how many
runs overfitting was said at any epoch at which there was none, and in how many after it had been
said for as many epochs as the engine waits before it tells. The delay, in epochs, is the median and
the 90th percentile from the epoch on which overfitting is there to that on which it is said, both
to stay.

`fit` fitted the verdict to the families of `tuning`; the figures of the others are the ones to
quote. How sure a verdict has to be was chosen with those of `unseen` in view, before any run of
`confirming` was judged. What is true is said in `truth`. Beside the verdict stand three rules as
people use them, which know when a loss diverges and when it is a constant's, as it does.
"""

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from epochtop.core.engine.verdict_watch import EPOCHS_TO_LAST
from epochtop.core.settings.declaration import StoppingSettings
from epochtop.core.stopping.rules import EarlyStopping, EpochLosses, RuleState
from epochtop.core.verdict import FEWEST_EPOCHS
from epochtop.core.verdict.curves import Curves
from epochtop.core.verdict.judge import judge

from .confirming import CONFIRMING
from .runs import LabelledRun, runs_of
from .truth import attainable, is_overfitting, truths
from .unseen import DRAWN_BY_LOT

Truth = frozenset[str]
Judge = Callable[[Curves], str]
_TRUTHS = ("improving", "good_fit", "overfitting", "underfitting", "diverging")


class Judged(msgspec.Struct, frozen=True):
    """A run, what is true of it, and what was said of it."""

    run: LabelledRun
    truth: Truth
    said: str
    confidence: float = 1.0

    @property
    def is_right(self) -> bool:
        """Whether what was said is among what is true."""
        return self.said in self.truth


def rise_of_three_epochs(curves: Curves) -> str:
    """Three rises of the validation loss in a row are overfitting."""
    steps = np.diff(curves.val[-4:])
    return "overfitting" if (steps > 0).all() else _if_flat(curves, falls=bool(steps.sum() < 0))


def fixed_gap(curves: Curves) -> str:
    """A validation loss a fifth above the train loss is overfitting."""
    gap = (curves.val[-1] - curves.train[-1]) / curves.val[-1]
    falls = bool(curves.val[-1] <= curves.val[:-3].min())
    return "overfitting" if gap > 0.2 else _if_flat(curves, falls=falls)


def validation_slope(curves: Curves) -> str:
    """A line through the last ten validation losses says where they go."""
    last = curves.val[-10:]
    slope = float(np.polyfit(np.arange(len(last)), last, 1)[0]) * len(last) / float(last[-1])
    return "overfitting" if slope > 0.02 else _if_flat(curves, falls=slope < -0.02)


def _if_flat(curves: Curves, *, falls: bool) -> str:
    baseline = curves.yardsticks.constant or math.inf
    if curves.train[-1] > 1.1 * baseline:
        return "diverging"
    if falls:
        return "improving"
    return "underfitting" if curves.val[-1] > 0.95 * baseline else "good_fit"


def of_finite(rule: Judge) -> Judge:
    """A rule that says of losses which are no numbers that they diverge."""

    def judged(curves: Curves) -> str:
        finite = np.isfinite(curves.val).all() and np.isfinite(curves.train).all()
        return rule(curves) if finite else "diverging"

    return judged


RULES: dict[str, Judge] = {
    "the verdict": lambda curves: judge(curves).name,
    "a rise of 3 epochs": of_finite(rise_of_three_epochs),
    "a gap of a fifth": of_finite(fixed_gap),
    "validation slope": of_finite(validation_slope),
}


def judged_by(rule: Judge, runs: Iterable[tuple[LabelledRun, Truth]]) -> list[Judged]:
    """What a rule says of each run at its end."""
    return [Judged(run, truth, rule(run.curves(run.epochs))) for run, truth in runs]


def print_comparison(runs: Sequence[tuple[LabelledRun, Truth]]) -> None:
    """Accuracy, false alarms and the rest of the verdict and of simple rules."""
    header = (
        "right where it commits",
        "false alarms",
        "inconclusive",
        "right of all runs",
        "ever a false alarm, told",
        "delay",
    )
    print(f"{'':22}" + "".join(f"{each:>26}" for each in header))
    for name, rule in RULES.items():
        judged = judged_by(rule, runs)
        right, undecided = _right_and_undecided(judged)
        others = [each for each in judged if "overfitting" not in each.truth]
        alarms = np.mean([each.said == "overfitting" for each in others])
        ever, told, delay = watched(rule, runs)
        of_runs = f"{ever:.1%}, {told:.1%}"
        of_all = right * (1 - undecided)
        numbers = (f"{each:.1%}" for each in (right, alarms, undecided, of_all))
        cells = (*numbers, of_runs, delay)
        print(f"{name:22}" + "".join(f"{each:>26}" for each in cells))


def _right_and_undecided(judged: Sequence[Judged]) -> tuple[float, float]:
    """How much of what was said is right, and of how many runs nothing was said."""
    committed = [each.is_right for each in judged if each.said != "inconclusive"]
    return float(np.mean(committed)), 1 - len(committed) / len(judged)


def watched(rule: Judge, runs: Sequence[tuple[LabelledRun, Truth]]) -> tuple[float, float, str]:
    """Epoch by epoch: the shares of runs ever falsely alarmed of, and the delay of true alarms."""
    false, told, delays, missed = 0, 0, [], 0
    for run, truth in runs:
        ends = range(FEWEST_EPOCHS, run.epochs + 1)
        said = [rule(run.curves(end)) == "overfitting" for end in ends]
        true = [is_overfitting(run, end) if _is_finite(run) else None for end in ends]
        false += _is_ever_wrong(said, true)
        told += _is_ever_wrong(_lasting(said), true)
        if truth == {"overfitting"}:
            onset, heard = _since([each is True for each in true]), _since(said)
            delays += [heard - onset] if heard < len(said) else []
            missed += heard == len(said)
    middle = f"{np.median(delays):+.0f}, {np.quantile(delays, 0.9):+.0f}" if delays else "-"
    return false / len(runs), told / len(runs), f"{middle} (missed {missed})"


def _is_ever_wrong(said: Sequence[bool], true: Sequence[bool | None]) -> bool:
    return any(alarm and is_so is False for alarm, is_so in zip(said, true, strict=True))


def _lasting(said: Sequence[bool]) -> list[bool]:
    """Whether it has been said in each of the last epochs, so that an engine would have told it."""
    lasts = range(EPOCHS_TO_LAST, len(said))
    return [False] * min(EPOCHS_TO_LAST, len(said)) + [
        all(said[at - EPOCHS_TO_LAST : at + 1]) for at in lasts
    ]


def _is_finite(run: LabelledRun) -> bool:
    return bool(np.isfinite(run.held_out[: run.epochs]).all())


def _since(flags: Sequence[bool]) -> int:
    """The place from which on all are true."""
    place = len(flags)
    while place and flags[place - 1]:
        place -= 1
    return place


def print_confusion(runs: Sequence[tuple[LabelledRun, Truth]]) -> None:
    """What was said of runs of each truth; borderline runs have two truths or more."""
    judged = judged_by(RULES["the verdict"], runs)
    counts = Counter((_row(each), each.said) for each in judged)
    said = (*_TRUTHS, "inconclusive")
    print(f"{'truth':32}" + "".join(f"{each:>14}" for each in said))
    for row in sorted({row for row, _ in counts}, key=lambda row: ("/" in row, row)):
        print(f"{row:32}" + "".join(f"{counts[row, each] or '-':>14}" for each in said))


def _row(judged: Judged) -> str:
    return "/".join(name for name in _TRUTHS if name in judged.truth)


def print_calibration(runs: Sequence[tuple[LabelledRun, Truth]]) -> None:
    """How often verdicts of about one confidence are right."""
    pairs = []
    for run, truth in runs:
        verdict = judge(run.curves(run.epochs))
        if verdict.confidence:
            pairs.append((verdict.confidence, verdict.name in truth))
    pairs.sort()
    print(f"{'confidence':>12}{'right':>10}{'runs':>8}")
    for part in np.array_split(np.array(pairs, np.float64), 5):
        print(f"{part[:, 0].mean():12.2f}{part[:, 1].mean():10.2f}{len(part):8}")


def print_by_rows(runs: Sequence[tuple[LabelledRun, Truth]]) -> None:
    """How much the number of validation rows matters, and journals of nothing but two losses.

    And how it is with the families that a lot kept for testing, and those that were written last.
    """
    judged = judged_by(RULES["the verdict"], runs)
    print(f"{'validation rows':>16}{'runs':>8}{'right':>10}{'inconclusive':>14}")
    for rows in sorted({run.num_val for run, _ in runs}):
        _print_part(str(rows), [each for each in judged if each.run.num_val == rows])
    bare = [Judged(run, truth, judge(run.bare_curves(run.epochs)).name) for run, truth in runs]
    _print_part("two losses only", bare)
    for title, families in _PARTS_OF_UNSEEN.items():
        part = [each for each in judged if each.run.family in families]
        if part:
            _print_part(title, part)


_PARTS_OF_UNSEEN = {
    "drawn by lot": DRAWN_BY_LOT,
    "written last": frozenset(family.name for family in CONFIRMING),
}


def _print_part(title: str, part: Sequence[Judged]) -> None:
    right, undecided = _right_and_undecided(part)
    print(f"{title:>16}{len(part):8}{right:10.1%}{undecided:14.1%}")


STOPPING = {
    **{f"patience {n}": StoppingSettings(patience=n) for n in (3, 5, 10, 20)},
    "GL": StoppingSettings(rule="gl"),
    "PQ": StoppingSettings(rule="pq"),
    "UP": StoppingSettings(rule="up"),
    "the default": StoppingSettings(),
}


def print_stopping(runs: Sequence[tuple[LabelledRun, Truth]]) -> None:
    """What stopping rules spend and lose; the loss is that on rows that the run never saw.

    Runs that diverge have no loss to lose.
    """
    usable = [run for run, truth in runs if "diverging" not in truth]
    print(f"{'rule':16}{'epochs spent':>14}{'mean regret':>14}{'median':>10}{'90th pct':>10}")
    for name, settings in STOPPING.items():
        spent, regrets = [], []
        for run in usable:
            epochs, kept = stopped(run, settings)
            spent.append(epochs / len(run.records))
            regrets.append(run.held_out[kept - 1] / min(run.held_out) - 1)
        print(
            f"{name:16}{np.mean(spent):14.0%}{np.mean(regrets):14.1%}"
            f"{np.median(regrets):10.1%}{np.quantile(regrets, 0.9):10.1%}"
        )


def stopped(run: LabelledRun, settings: StoppingSettings) -> tuple[int, int]:
    """After how many epochs a rule ends a run, and which epoch it keeps."""
    rule = EarlyStopping(settings)
    state: RuleState = rule.start()
    for record in run.records:
        state = rule.update(state, EpochLosses.of(record))
        if rule.why_stop(state):
            break
    return state.epoch, state.stopping.lowest_epoch or state.epoch


def main() -> None:
    """Print all tables, for the families that the verdict was fitted to and for the others."""
    per_family = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    runs = runs_of(per_family, Path(sys.argv[3]) if len(sys.argv) > 3 else None, first=first)
    best = attainable(runs)
    labelled = [(run, truths(run, run.epochs, best[place])) for place, run in enumerate(runs)]
    for title, is_for_tuning in (("TUNING", True), ("UNSEEN", False)):
        part = [pair for pair in labelled if pair[0].is_for_tuning == is_for_tuning]
        print(f"\n{title}: {len(part)} runs of families that the verdict was", end=" ")
        print("fitted to" if is_for_tuning else "not fitted to")
        print_comparison(part)
        print()
        print_confusion(part)
        print()
        print_calibration(part)
        print()
        print_by_rows(part)
    print("\nStopping rules, over the runs of all families that do not diverge")
    print_stopping(labelled)


if __name__ == "__main__":
    main()
