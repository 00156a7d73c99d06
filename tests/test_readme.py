"""The README says only what is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click import Group

from epochtop.core import resolve_settings
from epochtop.core.engine.process import train_here
from epochtop.tui.cli import cli

README = Path(__file__).parents[1] / "README.md"


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_its_python_runs_as_it_stands(tmp_path: Path) -> None:
    settings = resolve_settings(overrides=["train.epochs=2"])
    train_here(settings, tmp_path / "runs", None, lambda _: lambda _: None)
    script = tmp_path / "readme.py"
    script.write_text("\n".join([*code_blocks("python"), "assert set(weights)"]))

    result = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert "EpochCompleted(" in result.stdout


def test_it_names_every_command_and_no_other() -> None:
    assert isinstance(cli, Group)
    named = set(re.findall(r"`epochtop ([\w-]+)", README.read_text()))
    assert named == set(cli.commands)


@pytest.mark.parametrize("path", re.findall(r"\]\(([^):]+)\)", README.read_text()))
def test_what_it_links_to_is_there(path: str) -> None:
    assert (README.parent / path).exists()
