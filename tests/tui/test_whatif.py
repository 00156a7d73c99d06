"""What a person and a script read of other stopping rules."""

import json
import math
from pathlib import Path

import pytest

from epochtop.core.events import RunResumed
from epochtop.core.run.directory import Run
from epochtop.core.settings.declaration import StoppingSettings
from epochtop.tui.curve import plot
from epochtop.tui.curve.frame import build_frame
from epochtop.tui.curve.marks import Marks
from epochtop.tui.following.replay import replay
from epochtop.tui.following.state import RunState, reduce
from epochtop.tui.look.palette import PLAIN
from epochtop.tui.look.view import View
from epochtop.tui.words.whatif import rule_name, sentences, table_lines

from ..records import finished_record, started_record, write_journal
from .conftest import InThisProcess
from .posing import epochs, overfitting

SETTINGS = {"stopping": {"patience": 5}, "train": {"epochs": 60}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Lowest at epoch 20, recorded until 40."""
    run = Run(tmp_path / "runs" / "turning")
    run.path.mkdir(parents=True)
    write_journal(run, started_record(settings=SETTINGS), *epochs(40, overfitting))
    return run


def state_of(*records: object) -> RunState:
    return reduce(RunState(), records)  # type: ignore[arg-type]


def test_the_table_begins_with_the_runs_own_rule(run: Run, in_this_process: InThisProcess) -> None:
    shown = in_this_process("whatif", str(run.path))
    assert shown.returncode == 0, shown.stderr
    assert "a  patience 5 (own)    25    0.5059        20     15  nothing" in shown.stdout
    assert "patience 20         40" in shown.stdout
    assert "Best of these: GL above 2. It stops at epoch 21" in shown.stdout
    assert "The run's own rule, patience 5, stops at epoch 25" in shown.stdout
    assert "A rule marked - would not have stopped by epoch 40" in shown.stdout


def test_options_name_the_rules_in_lists_and_again(
    run: Run, in_this_process: InThisProcess
) -> None:
    said = ("--patience", "2,3", "--patience", "4", "--up", "1", "--min-delta", "0.5")
    found = json.loads(in_this_process("whatif", str(run.path), *said, "--json").stdout)
    assert [rule["name"] for rule in found["rules"]] == [
        "patience 5",
        "patience 2, min_delta 0.5",
        "patience 3, min_delta 0.5",
        "patience 4, min_delta 0.5",
        "UP in 1 strip",
    ]
    assert [rule["own"] for rule in found["rules"]] == [True, False, False, False, False]
    own = found["rules"][0]
    assert (own["stop_epoch"], own["epochs_saved"], own["regret"]) == (25, 15, 0.0)
    assert found["rules"][1]["regret"] > 0


def test_what_cannot_be_judged_is_null(run: Run, in_this_process: InThisProcess) -> None:
    found = json.loads(
        in_this_process("whatif", str(run.path), "--patience", "30", "--json").stdout
    )
    rule = found["rules"][1]
    assert (rule["stop_epoch"], rule["epochs_saved"], rule["regret"]) == (None, None, None)


@pytest.mark.parametrize(
    ("said", "found"),
    [(("--patience", "3,x"), 'found "x"'), (("--gl", "0"), "0"), (("--up", "1.5"), "1.5")],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    said: tuple[str, ...], found: str, run: Run, in_this_process: InThisProcess
) -> None:
    result = in_this_process("whatif", str(run.path), *said)
    assert result.returncode == 2
    assert found in result.stderr
    assert "allowed: " in result.stderr


def test_a_run_without_an_epoch_says_so(tmp_path: Path, in_this_process: InThisProcess) -> None:
    run = Run(tmp_path / "empty")
    run.path.mkdir()
    write_journal(run, started_record())
    shown = in_this_process("whatif", str(run.path))
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[1:] == [
        "No epoch is recorded yet: there is nothing to replay."
    ]


def test_epochs_that_are_void_do_not_count() -> None:
    again = epochs(12, lambda _: 9.0, first=6)
    found = replay(state_of(*epochs(40, overfitting), RunResumed(epoch=5), *again)).found
    assert (found.num_epochs, found.best_epoch) == (12, 5)


def test_of_a_completed_run_a_rule_that_never_stops_is_judged() -> None:
    state = state_of(*epochs(30, overfitting), finished_record("completed", epoch=30))
    told = " ".join(table_lines(replay(state), 80) + sentences(replay(state)))
    assert "never" in told
    assert "cannot be judged" not in told


def test_epochs_left_out_of_the_journal_are_told_of() -> None:
    records = [record for record in epochs(40, overfitting) if record.epoch % 2]
    assert "does not number its epochs 1, 2, 3" in sentences(replay(state_of(*records)))[-1]


def test_limits_that_all_rules_have_are_said_once_and_by_their_full_names_in_json() -> None:
    """A regression: a rule "no early stopping" that stopped did not say that it had thresholds."""
    stopping = {"patience": 0, "min_epochs": 12, "satisfied_below": 0.55, "diverged_above": 9.0}
    state = state_of(started_record(settings={"stopping": stopping}), *epochs(40, overfitting))
    replayed = replay(state)
    assert "from epoch" not in "".join(table_lines(replayed, 80))
    limits = "from epoch 12, satisfied below 0.55, diverged above 9"
    assert f"For all of these: {limits}." in sentences(replayed)
    assert rule_name(replayed.found.outcomes[0].rule) == f"no early stopping, {limits}"


def test_limits_that_only_some_rules_have_stay_in_their_names() -> None:
    rules = [StoppingSettings(patience=3, min_epochs=epochs) for epochs in (0, 30)]
    replayed = replay(state_of(*epochs(40, overfitting)), lambda _: rules)
    assert table_lines(replayed, 80)[2].startswith("b  patience 3, from epoch 30")


def test_rules_that_differ_in_the_length_of_their_strips_alone_have_different_names() -> None:
    rules = [
        StoppingSettings(rule=rule, strip_epochs=length)
        for rule in ("pq", "up")
        for length in (3, 5)
    ]
    assert len(set(map(rule_name, rules))) == len(rules)


def test_of_a_completed_run_a_rule_that_never_stops_saves_nothing(
    run: Run, in_this_process: InThisProcess
) -> None:
    write_journal(run, finished_record("completed", epoch=40))
    said = ("whatif", str(run.path), "--patience", "30")
    assert " never    0.5059        20      0  nothing" in in_this_process(*said).stdout
    rule = json.loads(in_this_process(*said, "--json").stdout)["rules"][1]
    assert (rule["stop_epoch"], rule["epochs_saved"], rule["regret"]) == (None, 0, 0.0)


def test_long_names_leave_the_numbers_in_sight_of_a_narrow_place() -> None:
    """A regression: the names filled the pane, and all numbers were cut off."""
    stopping = {"patience": 5, "min_delta": 0.001, "min_delta_mode": "relative"}
    state = state_of(started_record(settings={"stopping": stopping}), *epochs(40, overfitting))
    lines = table_lines(replay(state), 38)
    assert max(map(len, lines)) <= 38
    assert lines[0].split() == ["stop", "best", "val", "at", "epoch", "saves", "loses"]
    assert lines[1:4] == [
        "a patience 5, min_delta 0.001",
        "  relative (own)",
        "    25   0.5059       20    15 nothing",
    ]


@pytest.mark.parametrize(
    ("lowest", "share"), [(1.999, "0.05 %"), (1.0, "100 %"), (0.01, "19,900 %"), (1e-9, "2e+11 %")]
)
def test_what_a_rule_loses_is_told_in_whole_percent_where_it_is_much(
    lowest: float, share: str
) -> None:
    losses = [2.0, 3.0, 3.0, 3.0, lowest]
    replayed = replay(state_of(*epochs(5, lambda epoch: losses[epoch - 1])))
    assert table_lines(replayed, 80)[1].endswith(f"({share})")


def test_losses_that_are_no_numbers_leave_nothing_to_judge() -> None:
    told = sentences(replay(state_of(*epochs(12, lambda _: math.nan))))
    assert told[0] == "None of these rules can be judged by this recording."


@pytest.mark.parametrize(("width", "header"), [(80, "at epoch"), (55, "best val"), (38, "loses")])
def test_a_narrow_table_has_fewer_columns(width: int, header: str) -> None:
    lines = table_lines(replay(state_of(*epochs(40, overfitting))), width)
    assert header in lines[0]
    assert max(map(len, lines)) <= width


def test_the_curve_has_a_letter_at_each_stop_and_both_where_two_meet() -> None:
    state = state_of(*epochs(40, overfitting))
    marks = Marks(would_stop=((25, "a"), (25, "b"), (30, "c")))
    frame = build_frame(state.history, marks, View(), (80, 15))
    assert frame is not None
    rows = plot.draw(frame, PLAIN).text(PLAIN).splitlines()
    assert "ab" in rows[1]
    assert rows[1].index("c") > rows[1].index("ab")
    assert rule_name(replay(state).found.outcomes[0].rule) == "patience 3"
