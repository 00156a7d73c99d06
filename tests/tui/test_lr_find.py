"""`epochtop lr-find`: what it prints, and that it leaves nothing behind."""

import json
import math
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epochtop.core.training.lr_range import LrRange
from epochtop.tui.cli import run_command
from epochtop.tui.commands.lr_find import result_lines, table_lines
from epochtop.tui.curve.axes import decade_axis
from epochtop.tui.curve.plot_rates import (
    COLOURED_RATES,
    PLAIN_RATES,
    RateStyle,
    draw_rates,
    rate_legend,
)
from epochtop.tui.curve.rate_curve import build_rate_frame

from ..waiting import LIMIT_SECONDS, wait_for

NAN = math.nan
ANSI = re.compile(r"\x1b\[[0-9;]*m")

TASK = """
import pathlib, time
import torch
from torch import nn
from epochtop.core import Task

def build(settings):
    inputs = torch.randn(64, 3)
    targets = inputs @ torch.tensor([[1.0], [2.0], [-1.0]])
    data = inputs, targets
    return Task(nn.Linear(3, 1), nn.MSELoss(), train=data, val=data)

class Endless(nn.Linear):
    def forward(self, inputs):
        if self.training:
            pathlib.Path("began").touch()
            time.sleep(0.01)
        return super().forward(inputs)

def build_endless(settings):
    task = build(settings)
    return Task(Endless(3, 1), task.loss, train=task.train, val=task.val)

class Broken(nn.Linear):
    def forward(self, inputs):
        if self.training:
            raise RuntimeError("out of order")
        return super().forward(inputs)

def build_broken(settings):
    task = build(settings)
    return Task(Broken(3, 1), task.loss, train=task.train, val=task.val)
"""

LrFind = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def lr_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> LrFind:
    """Run the command in this process and in an empty directory: torch loads once."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        code = run_command(["lr-find", *arguments])
        captured = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, code, captured.out, captured.err)

    return run


@pytest.fixture
def task_file(tmp_path: Path) -> Path:
    path = tmp_path / "task.py"
    path.write_text(TASK, "utf-8")
    return path


def found_with(**changes: Any) -> LrRange:
    """A range test over four decades whose loss falls from 2 to 0.5 and then rises."""
    losses = (2.0, 2.0, 2.0, 2.0, 1.9, 1.5, 1.0, 0.5, 1.0, 9.0)
    found = {
        "rates": tuple(1e-4 * 10 ** (step / 2) for step in range(10)),
        "losses": losses,
        "smoothed": losses,
        "suggestion": 1e-4 * 10 ** (5 / 2),
        "steepest_at": 1e-4 * 10 ** (6 / 2),
        "lowest_at": 1e-4 * 10 ** (7 / 2),
        "ending": "diverged",
        "message": "the loss was more than 4 times its lowest at 3.16",
    }
    return LrRange(**{**found, **changes})


NOTHING_FOUND: dict[str, Any] = {"suggestion": None, "steepest_at": None, "lowest_at": None}


class TestCommand:
    def test_prints_a_table_the_curve_and_last_the_option_to_use_it(self, lr_find: LrFind) -> None:
        result = lr_find("--data", "digits")

        assert (result.returncode, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert lines[0].split() == ["learning", "rate", "loss", "smoothed"]
        assert sum("<- suggestion" in line for line in lines) == 1
        assert sum("<- lowest" in line for line in lines) == 1
        assert any("┤" in line for line in lines)
        assert "\x1b" not in result.stdout
        assert re.fullmatch(r"to train with it: --set optim\.lr=[0-9.e-]+", lines[-1])

    def test_what_it_suggests_is_what_train_takes(
        self, lr_find: LrFind, capfd: pytest.CaptureFixture[str]
    ) -> None:
        option = lr_find("--data", "digits").stdout.splitlines()[-1].partition(": ")[2]

        code = run_command(["train", *option.split(), "--set", "train.epochs=1", "--json"])

        events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        assert code == 0
        assert f"optim.lr={events[0]['settings']['optim']['lr']:.3g}" in option

    def test_creates_no_run_and_no_file(self, lr_find: LrFind, tmp_path: Path) -> None:
        lr_find("--data", "digits")

        assert list(tmp_path.iterdir()) == []

    def test_prints_one_json_object_and_nothing_else(self, lr_find: LrFind) -> None:
        result = lr_find("--json", "--steps", "20", "--lowest", "1e-5", "--highest", "1e5")

        found = json.loads(result.stdout)
        assert (result.returncode, result.stderr) == (0, "")
        assert found["rates"][0] == 1e-5
        assert len(found["rates"]) == len(found["losses"]) == len(found["smoothed"]) <= 20
        assert found["suggestion"] in found["rates"]
        assert found["ending"] in ("diverged", "not_finite")

    def test_takes_the_settings_of_train(self, lr_find: LrFind, tmp_path: Path) -> None:
        (tmp_path / "s.toml").write_text('[optim]\nname = "sgd"\n[data]\nsource = "wine"\n')

        adam = json.loads(lr_find("--json", "--data", "wine").stdout)
        sgd = json.loads(lr_find("s.toml", "--json").stdout)
        same_sgd = json.loads(lr_find("--json", "--set", "optim.name=sgd", "--data", "wine").stdout)

        assert sgd == same_sgd
        assert sgd["suggestion"] > 5 * adam["suggestion"]

    def test_takes_a_task_of_ones_own(self, lr_find: LrFind, task_file: Path) -> None:
        result = lr_find("--task", f"{task_file.name}:build")

        assert result.returncode == 0
        assert "--set optim.lr=" in result.stdout

    def test_what_a_task_raises_is_one_message(self, lr_find: LrFind, task_file: Path) -> None:
        result = lr_find("--task", f"{task_file.name}:build_broken")

        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == "epochtop: task.py:build_broken: RuntimeError: out of order\n"

    def test_says_so_when_no_rate_helps(self, lr_find: LrFind) -> None:
        result = lr_find("--lowest", "1e-14", "--highest", "1e-12", "--steps", "30")

        assert result.returncode == 0
        assert "no rate in the range lowers the loss" in result.stdout
        assert "--set" not in result.stdout
        assert "<-" not in result.stdout

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--lowest", "1", "--highest", "0.1"], "highest: found 0.1; allowed: above"),
            (["--lowest", "0"], "lowest: found 0.0; allowed: a learning rate above 0"),
            (["--steps", "1"], "steps: found 1; allowed: from 10 to 10,000"),
            (["--lowest", "0", "--data", "nowhere.csv"], "lowest: found 0.0"),
            (["--steps", "many"], "'many' is not a valid integer"),
            (["--data", "nowhere.csv"], "nowhere.csv"),
            (["--set", "optim.lr=-1"], "optim.lr: found"),
            (["--name", "mine"], "No such option '--name'"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_what_is_wrong_with_the_command_is_one_message_and_exit_code_2(
        self, arguments: list[str], message: str, lr_find: LrFind, tmp_path: Path
    ) -> None:
        result = lr_find(*arguments)

        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr
        assert "Traceback" not in result.stderr
        assert list(tmp_path.iterdir()) == []

    def test_ctrl_c_ends_it_with_exit_code_130(self, tmp_path: Path, task_file: Path) -> None:
        with subprocess.Popen(
            [
                *(sys.executable, "-c", "from epochtop.tui.cli import main; main()"),
                *("lr-find", "--task", f"{task_file.name}:build_endless", "--steps", "10000"),
                *("--lowest", "1e-30", "--highest", "1e-29"),
            ],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wait_for((tmp_path / "began").exists, "a first step")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=LIMIT_SECONDS)

        assert (process.returncode, out, err.strip()) == (130, "", "")

    def test_its_help_loads_neither_torch_nor_plotext(self, tmp_path: Path) -> None:
        code = (
            "import sys; from epochtop.tui.cli import run_command; "
            "import epochtop.tui.commands.lr_find\n"
            "assert run_command(['lr-find', '--help']) == 0\n"
            "assert not {'torch', 'sklearn', 'plotext', 'textual'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, check=True)


class TestTable:
    def test_marks_the_rates_that_matter_and_the_end(self) -> None:
        lines = table_lines(found_with())

        notes = {line.split()[0]: line.partition("<- ")[2] for line in lines if "<-" in line}
        assert notes == {
            "0.0316": "suggestion",
            "0.316": "lowest",
            "3.16": "the loss was more than 4 times its lowest at 3.16",
        }

    @pytest.mark.parametrize("steps", [1, 2, 10, 100, 10_000])
    def test_has_about_a_row_a_decade_however_many_steps_there_were(self, steps: int) -> None:
        rates = tuple(1e-7 * (1 + step) for step in range(steps))
        losses = (1.0,) * steps

        lines = table_lines(
            found_with(rates=rates, losses=losses, smoothed=losses, **NOTHING_FOUND)
        )

        assert len(lines) - 1 == min(steps, 9)

    def test_names_a_loss_that_is_no_number(self) -> None:
        found = found_with(
            rates=(0.1, 1.0),
            losses=(1.0, NAN),
            smoothed=(1.0, NAN),
            ending="not_finite",
            message="the loss was nan at 1",
            **NOTHING_FOUND,
        )

        assert table_lines(found)[-1].split("  <- ") == [
            "            1  nan         nan       ",
            "the loss was nan at 1",
        ]


class TestResult:
    def test_says_why_it_suggests_what(self) -> None:
        lines = result_lines(found_with())

        assert lines == [
            "ended after 10 steps: the loss was more than 4 times its lowest at 3.16",
            "the loss falls most steeply at 0.1 and is lowest at 0.316",
            "suggested learning rate: 0.0316 (about a tenth of the lowest's, to be safe)",
            "to train with it: --set optim.lr=0.0316",
        ]

    def test_says_when_the_suggestion_is_the_steepest(self) -> None:
        lines = result_lines(found_with(suggestion=0.1, steepest_at=0.1))

        assert "suggested learning rate: 0.1 (the steepest)" in lines

    def test_hints_at_a_larger_range_when_the_loss_still_falls(self) -> None:
        rates = found_with().rates
        hint = "it still falls at the highest rate: a larger --highest may show more"

        assert hint in result_lines(found_with(lowest_at=rates[-1], ending="completed"))
        assert hint not in result_lines(found_with())


STYLES = pytest.mark.parametrize("style", [PLAIN_RATES, COLOURED_RATES], ids=["plain", "coloured"])
CURVES: dict[str, dict[str, Any]] = {
    "usual": {},
    "nothing found": NOTHING_FOUND,
    "flat": {"losses": (1.0,) * 10, "smoothed": (1.0,) * 10, **NOTHING_FOUND},
    "zero": {"losses": (0.0,) * 10, "smoothed": (0.0,) * 10, **NOTHING_FOUND},
    "one step": {"rates": (0.1,), "losses": (1.0,), "smoothed": (1.0,), **NOTHING_FOUND},
    "ends in nan": {"losses": (*[1.0] * 9, NAN), "smoothed": (*[1.0] * 9, NAN), **NOTHING_FOUND},
    "explodes": {"losses": (2.0, *[1e30] * 9), "smoothed": (2.0, *[1e29] * 9), **NOTHING_FOUND},
    "below 0": {"losses": tuple(map(float, range(0, -10, -1)))},
}


def picture(found: LrRange, style: RateStyle, width: int = 60, height: int = 15) -> list[str]:
    frame = build_rate_frame(found, width=width, height=height)
    assert frame is not None
    return ANSI.sub("", draw_rates(frame, style)).split("\n")


class TestCurve:
    @STYLES
    @pytest.mark.parametrize("changes", CURVES.values(), ids=CURVES.keys())
    @pytest.mark.parametrize(("width", "height"), [(30, 6), (60, 15), (200, 50)])
    def test_has_the_size_that_was_asked_for(
        self, changes: dict[str, Any], style: RateStyle, width: int, height: int
    ) -> None:
        lines = picture(found_with(**changes), style, width, height)

        assert len(lines) == height
        assert {len(line) for line in lines} == {width}

    def test_without_a_finite_loss_there_is_none(self) -> None:
        found = found_with(rates=(0.1,), losses=(NAN,), smoothed=(NAN,), **NOTHING_FOUND)

        assert build_rate_frame(found, width=60, height=15) is None

    @STYLES
    def test_marks_the_suggestion_left_of_the_lowest_and_above_it(self, style: RateStyle) -> None:
        lines = picture(found_with(), style)

        def place_of(marker: str) -> tuple[int, int]:
            ((row, line),) = [(row, line) for row, line in enumerate(lines) if marker in line]
            return row, line.index(marker)

        suggestion, lowest = place_of(style.suggestion_marker), place_of(style.lowest_marker)
        assert suggestion < lowest
        assert suggestion[1] < lowest[1]

    @STYLES
    def test_marks_nothing_where_nothing_was_found(self, style: RateStyle) -> None:
        drawn = "\n".join(picture(found_with(**NOTHING_FOUND), style))

        assert style.suggestion_marker not in drawn
        assert style.lowest_marker not in drawn

    def test_the_legend_names_all_that_is_drawn(self) -> None:
        assert rate_legend(PLAIN_RATES) == ". loss   x smoothed   S suggestion   L lowest"
        assert ANSI.sub("", rate_legend(COLOURED_RATES)) == (
            "• loss   ── smoothed   ◆ suggestion   ▼ lowest"
        )

    def test_a_loss_that_explodes_does_not_flatten_the_fall(self) -> None:
        losses = (*found_with().losses[:-1], 1e30)
        frame = build_rate_frame(found_with(losses=losses), width=60, height=15)

        assert frame is not None
        assert frame.has_losses_above
        assert frame.y_axis.high < 4
        assert frame.losses.ys[-1] <= frame.y_axis.high
        assert frame.losses.ys[:-1] == losses[:-1]

    def test_nothing_is_said_of_losses_above_where_there_are_none(self) -> None:
        losses = (2.0, 1.5, 1.0, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1)
        found = found_with(losses=losses, smoothed=losses, lowest_at=found_with().rates[-1])
        frame = build_rate_frame(found, width=60, height=15)

        assert frame is not None
        assert not frame.has_losses_above

    @given(st.floats(-30, 10), st.floats(1e-3, 40), st.integers(2, 30))
    def test_the_ticks_of_the_rates_are_few_and_in_the_range(
        self, low: float, extent: float, max_ticks: int
    ) -> None:
        axis = decade_axis(low, low + extent, max_ticks)

        assert 2 <= len(axis.ticks) == len(axis.labels) <= max(2, max_ticks)
        assert all(low - 1e-6 <= tick <= low + extent + 1e-6 for tick in axis.ticks)
        assert list(axis.ticks) == sorted(axis.ticks)

    @pytest.mark.parametrize(
        ("low", "high", "labels"),
        [
            (-7, 1, "1e-07 1e-06 1e-05 0.0001 0.001 0.01 0.1 1 10"),
            (-3, -1, "0.001 0.002 0.005 0.01 0.02 0.05 0.1"),
            (-12, 6, "1e-12 1e-10 1e-08 1e-06 0.0001 0.01 1 100 1e+04 1e+06"),
        ],
    )
    def test_the_ticks_are_round_rates(self, low: float, high: float, labels: str) -> None:
        assert " ".join(decade_axis(low, high, max_ticks=10).labels) == labels
