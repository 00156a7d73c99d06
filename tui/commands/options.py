"""The options that commands share, and how those that say what to train become settings."""

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from ...core.settings.declaration import PRESETS, Settings
from ...core.settings.fields import setting_fields
from ...core.settings.toml_file import resolve_settings
from .screen import DEFAULT_RUNS, runs_said_by_environment

P = ParamSpec("P")
R = TypeVar("R")

# The settings that have an option of their own.
_NAMED = {"task": "task", "data": "data.source", "target": "data.target"}


def runs_option(command: Callable[P, R]) -> Callable[P, R]:
    """The option that says where runs live, as `runs`."""
    return click.option(
        "--runs",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_find_runs,
        help=f"Where runs live.  [default: $EPOCHTOP_RUNS, else ./{DEFAULT_RUNS}]",
    )(command)


def _find_runs(context: click.Context, _: click.Parameter, value: Path | None) -> Path:
    """The directory said here, else to `epochtop` itself, else by the environment."""
    outer = context.parent.params.get("runs") if context.parent else None
    return value or outer or runs_said_by_environment()


name_option = click.option("--name", help="What to call the run, after its date and time.")


def settings_options(command: Callable[P, R]) -> Callable[P, R]:
    """The options by which a command is told what to train."""
    for option in (
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="SECTION.KEY=VALUE",
            help="One setting, over the file and the preset; may be repeated.",
        ),
        click.option("--target", metavar="COLUMN", help="The column to predict, for a file."),
        click.option(
            "--data",
            metavar="SOURCE",
            help="A built-in data set, or a .csv, .parquet or .npz file.",
        ),
        click.option(
            "--task",
            metavar="FILE.py:FUNCTION",
            help="A model and data of your own, in the place of --data.",
        ),
        click.option("--preset", metavar="NAME", help=f"Start from one of: {', '.join(PRESETS)}."),
        click.argument(
            "settings_file",
            metavar="[SETTINGS.toml]",
            required=False,
            type=click.Path(path_type=Path),
        ),
    ):
        command = option(command)
    return command


class CommandWithSettings(click.Command):
    """A command whose help ends with every setting that it takes."""

    fields = setting_fields()

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line a setting, from its declaration."""
        del context
        with formatter.section("Settings"):
            formatter.write_dl(
                [
                    (field.path, f"{field.help}  [{field.allowed}; {field.format(field.default)}]")
                    for field in self.fields
                ]
            )


class CommandWithLiveSettings(CommandWithSettings):
    """The same with the settings that may change in a run."""

    fields = tuple(field for field in setting_fields() if field.live)


def values_option(name: str, metavar: str, text: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """An option of values with commas between them, which may be repeated."""
    return click.option(name, multiple=True, metavar=f"{metavar},...", help=text)


def resolve(
    settings_file: Path | None, preset: str | None, overrides: tuple[str, ...], **named: str | None
) -> Settings:
    """The settings that the options of `settings_options` say together.

    Raises:
        UsageError: two of them say what is the data.
        SettingsError: a setting is none or does not take its value.
    """
    if named["task"] and (named["data"] or named["target"]):
        raise click.UsageError("--task brings data of its own: leave out --data and --target")
    said = [f"{_NAMED[name]}={value}" for name, value in named.items() if value is not None]
    return resolve_settings(preset=preset, file=settings_file, overrides=[*said, *overrides])
