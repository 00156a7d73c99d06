"""The screen and its terminal: stopped, closed, poor, and with hostile names on it."""

import os
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest

from epochtop.core import Run
from epochtop.core.events import Warned
from epochtop.core.run.directory import create_run
from epochtop.core.run.status import engine_process, run_status, write_engine_process
from epochtop.core.settings.declaration import Settings

from ..records import epoch_record, finished_record, started_record, write_journal
from ..waiting import wait_for
from .app_driver import finished_run, live_run
from .terminal import EPOCHTOP, Terminal, open_terminal

LEAVE_ALTERNATE_SCREEN, SHOW_CURSOR = b"\x1b[?1049l", b"\x1b[?25h"
HOSTILE = "[red]\x1b]0;owned\x07\x1b[31m\u202e\x9b31m[/] $(x)"
# What Textual itself sends: modes, queries, cursor, styles; nothing that sets a title or a colour.
SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?$<>=]*[a-zA-Z@`]|\[\?[0-9;]*\$p|[()][A-Z0-9]|[=>78M])")
SHELL = ["bash", "--norc", "--noprofile", "-i"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that this very process seems to train."""
    return live_run(tmp_path / "runs", started_record(), epoch_record(1), epoch_record(2))


def was_given_back(terminal: Terminal) -> bool:
    end = terminal.raw.rindex(LEAVE_ALTERNATE_SCREEN)
    return SHOW_CURSOR in terminal.raw[end:]


def write_hostile_run(runs: Path) -> None:
    run = create_run(runs, Settings())
    write_engine_process(run, engine_process(1))
    write_journal(
        run,
        started_record(run=f"x{HOSTILE}", device=HOSTILE, settings={"data": {"source": HOSTILE}}),
        epoch_record(1, metrics={HOSTILE: 0.5}),
        epoch_record(2, metrics={HOSTILE: 0.6}),
        Warned(message=HOSTILE, time=1.0),
        finished_record("failed", message=HOSTILE),
    )


def test_a_poor_terminal_gets_no_colour_no_character_beyond_ascii_and_nothing_of_a_hostile_name(
    tmp_path: Path,
) -> None:
    write_hostile_run(tmp_path / "runs")
    environment = {"NO_COLOR": "1", "LC_ALL": "C"}
    with open_terminal("watch", columns=120, rows=36, cwd=tmp_path, environment=environment) as it:
        it.wait_for("failed", "Events", "+--", "q Quit")
        for key, text in (("?", "Help (escape"), ("escape", "q Quit"), ("ctrl+p", "Search for")):
            it.press(key)
            it.wait_for(text)
        it.press("escape")
        it.wait_for("batch_size")
        it.press("e")
        it.wait_for("f5 Start")
        it.press("f3", "l", "z")
        it.wait_for("failed after epoch")
        it.press("q")
        assert it.wait_for_exit() == 0

    assert max(it.raw) <= 0x7E
    rest = SEQUENCE.sub(b"", it.raw)
    assert b"\x1b" not in rest
    assert b"\x07" not in rest
    styles = b";".join(re.findall(rb"\x1b\[([0-9;]*)m", it.raw)).split(b";")
    assert {int(style or 0) for style in styles} <= {0, 1, 2, 3, 4, 7, 22, 23, 24, 27}


def test_ctrl_z_gives_the_shell_its_terminal_and_fg_brings_the_screen_back(
    run: Run, tmp_path: Path
) -> None:
    with open_terminal(
        columns=100, rows=30, cwd=tmp_path, program=SHELL, environment={"PS1": "shell> "}
    ) as terminal:
        terminal.wait_for("shell>")
        terminal.press(f"{shlex.join([*EPOCHTOP, 'watch'])}\r")
        terminal.wait_for("live", "┤")
        terminal.press("ctrl+z")
        wait_for(lambda: b"Stopped" in _read(terminal), "the shell's word of the stopped job")
        assert was_given_back(terminal)
        terminal.press("stty -a | grep -o ' icanon'; echo $((20+3))\r")
        terminal.wait_for("23", " icanon")
        terminal.press("fg\r")
        terminal.wait_for("live", "┤", "Settings", "q Quit")
        write_journal(run, epoch_record(3))
        terminal.wait_for("epoch 3/200")
        terminal.press("q", "l")
        terminal.wait_for("goes on training", "shell>")


def _read(terminal: Terminal) -> bytes:
    terminal.read()
    return terminal.raw


@pytest.mark.usefixtures("run")
def test_a_closed_terminal_ends_the_screen_even_where_nobody_says_so(tmp_path: Path) -> None:
    with open_terminal(
        "watch", columns=80, rows=24, cwd=tmp_path, ignores_hang_up=True
    ) as terminal:
        terminal.wait_for("live", "┤")
        terminal.hang_up()
        terminal.wait_for_exit()


def fill(terminal: Terminal) -> None:
    """Have the program draw until its terminal, which nobody reads, takes no more."""

    def is_full() -> bool:
        terminal.press("z")
        return terminal.takes_nothing()

    wait_for(is_full, "a full terminal")
    terminal.press(*"zzzz" * 10)  # more than a thread may keep for later


def test_sigterm_ends_a_screen_that_nobody_reads_and_leaves_the_run(
    run: Run, tmp_path: Path
) -> None:
    with open_terminal("watch", columns=120, rows=36, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤")
        fill(terminal)
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait_for_exit_unread() == 143
    assert run_status(run).is_live


def test_a_terminal_that_is_read_again_shows_the_whole_screen_as_it_is_now(
    run: Run, tmp_path: Path
) -> None:
    with open_terminal("watch", columns=120, rows=36, cwd=tmp_path) as terminal:
        terminal.wait_for("live", "┤")
        fill(terminal)
        write_journal(run, epoch_record(3))
        terminal.wait_for("epoch 3/200", "┤", "q Quit")
        terminal.press("?")
        terminal.wait_for("Help (escape")


@pytest.mark.usefixtures("run")
def test_sigint_gives_the_terminal_back_and_stderr_in_a_file_stays_empty(tmp_path: Path) -> None:
    command = f"exec {shlex.join([*EPOCHTOP, 'watch'])} 2> errors"
    with open_terminal(
        columns=80, rows=24, cwd=tmp_path, program=["bash", "-c", command]
    ) as terminal:
        terminal.wait_for("live", "┤")
        os.kill(terminal.pid, signal.SIGINT)
        assert terminal.wait_for_exit() == 130
    assert was_given_back(terminal)
    assert (tmp_path / "errors").read_bytes() == b""


@pytest.mark.usefixtures("run")
def test_a_mistake_of_the_program_is_one_line_and_a_file(tmp_path: Path) -> None:
    broken = "from epochtop.tui.app import EpochtopApp as App; App.action_log = lambda self: 1 / 0"
    program = [sys.executable, "-c", f"{broken}; from epochtop.tui.cli import main; main()"]
    with open_terminal(
        "watch",
        columns=200,
        rows=24,
        cwd=tmp_path,
        program=program,
        environment={"TMPDIR": str(tmp_path)},
    ) as terminal:
        terminal.wait_for("live", "┤")
        terminal.press("l")
        assert terminal.wait_for_exit() == 1
    assert was_given_back(terminal)
    said = terminal.raw[terminal.raw.rindex(LEAVE_ALTERNATE_SCREEN) :].decode()
    assert "epochtop: a mistake of the program: ZeroDivisionError" in said
    assert "Traceback" not in said
    (kept,) = tmp_path.glob("epochtop-*.txt")
    assert "ZeroDivisionError" in kept.read_text()


def test_a_dumb_terminal_gets_lines_and_the_exit_code_of_the_run(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs", started_record(), epoch_record(1), finished_record("failed"))
    environment = {"TERM": "dumb"}
    with open_terminal("watch", columns=80, rows=24, cwd=tmp_path, environment=environment) as it:
        assert it.wait_for_exit() == 1
    lines = it.raw.decode()
    assert "epoch   1/200  train 1.000" in lines
    assert "failed after epoch 5" in lines
    assert "\x1b" not in lines
