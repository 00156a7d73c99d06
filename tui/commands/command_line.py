"""Every command of the command line with its options.

What a command does is in `commands`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from ...core.run.control import Pause, SaveCheckpoint, Stop
from ...core.settings.declaration import PRESETS, Settings
from ...core.settings.fields import setting_fields
from ...core.settings.toml_file import resolve_settings
from . import commands, output, requests
from .screen import DEFAULT_RUNS, ScreenOptions, open_screen, runs_said_by_environment
from .screen_options import screen_options

P = ParamSpec("P")
R = TypeVar("R")

# The settings that have an option of their own.
_NAMED = {"task": "task", "data": "data.source", "target": "data.target"}


def run(arguments: list[str]) -> int:
    """Run one command; the exit code. What is wrong with the command itself is said on stderr."""
    try:
        code = cli.main(arguments, prog_name="epochtop", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    return code if isinstance(code, int) else 0


def _runs_option(command: Callable[P, R]) -> Callable[P, R]:
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


_name_option = click.option("--name", help="What to call the run, after its date and time.")


def _settings_options(command: Callable[P, R]) -> Callable[P, R]:
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


class _CommandWithSettings(click.Command):
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


class _CommandWithLiveSettings(_CommandWithSettings):
    """The same with the settings that may change in a run."""

    fields = tuple(field for field in setting_fields() if field.live)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="epochtop", message="%(prog)s %(version)s")
@_runs_option
@screen_options
@click.pass_context
def cli(context: click.Context, runs: Path, screen: ScreenOptions) -> int | None:
    """Train PyTorch models and watch their losses live: htop for training runs.

    Without a command it opens the screen, ready to start a run.
    """
    if context.invoked_subcommand is not None:
        return None
    if not output.can_open_screen():
        raise click.UsageError(
            "the screen needs a terminal whose cursor can be moved (TERM is not dumb); without one "
            "`epochtop train` and `epochtop demo` train and print, `epochtop watch` follows a run"
        )
    return open_screen(runs, None, screen)


@cli.command()
@screen_options
@_runs_option
def demo(runs: Path, screen: ScreenOptions) -> int:
    """Open the screen with the default run started.

    Without a terminal on stdout it trains headless and prints, like `train`.
    """
    return commands.demo(runs, screen)


@cli.command(cls=_CommandWithSettings)
@_settings_options
@_name_option
@click.option("--json", "as_json", is_flag=True, help="Print the journal's records, nothing else.")
@_runs_option
def train(runs: Path, name: str | None, *, as_json: bool, **chosen: Any) -> int:
    """Train in the foreground: a line per epoch, at the end a summary and the loss curve."""
    return commands.train(_resolve(**chosen), runs, name, as_json=as_json)


@cli.command(cls=_CommandWithSettings)
@_settings_options
@_name_option
@_runs_option
def start(runs: Path, name: str | None, **chosen: Any) -> int:
    """Train in the background: print the run's directory and return once it has begun."""
    return commands.start(_resolve(**chosen), runs, name)


@cli.command("lr-find", cls=_CommandWithSettings)
@_settings_options
@click.option("--lowest", default=1e-7, show_default=True, help="The first learning rate.")
@click.option("--highest", default=10.0, show_default=True, help="The last one.")
@click.option("--steps", default=100, show_default=True, help="How many to try.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def find_lr(lowest: float, highest: float, steps: int, *, as_json: bool, **chosen: Any) -> int:
    """Try learning rates from tiny to huge, a step each, and suggest one. Creates no run."""
    from .lr_find import lr_find

    settings = _resolve(**chosen)
    return lr_find(settings, lowest=lowest, highest=highest, steps=steps, as_json=as_json)


@cli.command()
@click.argument("run", required=False)
@screen_options
@_runs_option
def watch(run: str | None, runs: Path, screen: ScreenOptions) -> int:
    """Open the screen on a run, live or finished; without a terminal, print it.

    RUN is a directory, a run's name or the start of one; by default the newest live run, else
    the newest.
    """
    return commands.watch(run, runs, screen)


@cli.command("runs")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@_runs_option
def list_runs(runs: Path, *, as_json: bool) -> int:
    """List the runs, oldest first, with how they stand."""
    return commands.list_runs(runs, as_json=as_json)


@cli.command()
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_runs_option
def show(run: str, runs: Path, *, as_json: bool) -> int:
    """Print one run's summary and its loss curve."""
    return commands.show(run, runs, as_json=as_json)


def _values_option(
    name: str, metavar: str, text: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return click.option(name, multiple=True, metavar=f"{metavar},...", help=text)


@cli.command()
@click.argument("run")
@_values_option("--patience", "N", "Stop after so many epochs in a row without improvement.")
@_values_option("--gl", "A", "Prechelt's GL: stop at a loss so many percent above the lowest.")
@_values_option("--pq", "A", "Prechelt's PQ: GL over training progress, stop above this.")
@_values_option("--up", "S", "Prechelt's UP: stop after so many rising strips in a row.")
@_values_option("--min-delta", "X", "What an improvement has to be, for each of the rules.")
@_values_option("--min-epochs", "N", "Never stop before this epoch, for each of the rules.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_runs_option
def whatif(run: str, runs: Path, *, as_json: bool, **said: tuple[str, ...]) -> int:
    """Replay a run's losses through other stopping rules.

    For each it tells where it would have stopped, the best loss it would have kept, the epochs
    it would have saved and what it would have lost. The run's own rule comes first; without
    options patience 3, 5, 10 and 20, GL, PQ and UP follow. Options may be repeated and take
    values with commas between them; what they do not say is as in the run's own rule.
    """
    return commands.whatif(run, runs, said, as_json=as_json)


@cli.command("compare")
@click.argument("names", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_runs_option
def compare_runs(names: tuple[str, ...], runs: Path, *, as_json: bool) -> int:
    """Print two to eight runs side by side.

    First the settings that differ, then what each has reached: its best validation loss, the
    train loss and the gap there, epochs and time to it. Last the curves in one picture.
    """
    from .comparing import compare_runs

    return compare_runs(names, runs, as_json=as_json)


@cli.command()
@click.argument("run")
@click.option("--now", is_flag=True, help="At the next step, not after the epoch.")
@_runs_option
def stop(run: str, runs: Path, *, now: bool) -> int:
    """Ask a live run to stop after its epoch."""
    return requests.request(run, runs, Stop("now" if now else "epoch"))


@cli.command(cls=_CommandWithLiveSettings)
@click.argument("run")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Another value for a setting that may change; may be repeated.",
)
@click.option("--background", is_flag=True, help="Return as soon as it trains, like start.")
@click.option("--json", "as_json", is_flag=True, help="Print the journal's records, nothing else.")
@_runs_option
def resume(run: str, runs: Path, overrides: tuple[str, ...], **how: bool) -> int:
    """Go on with a run from its last checkpoint.

    Whatever ended it: it trains in the foreground and prints, like train. A live run that is
    paused goes on where it is.
    """
    return commands.resume(run, runs, overrides, **how)


@cli.command()
@click.argument("run")
@_runs_option
def pause(run: str, runs: Path) -> int:
    """Let a live run stand still until it is resumed."""
    return requests.request(run, runs, Pause())


@cli.command()
@click.argument("run")
@_runs_option
def checkpoint(run: str, runs: Path) -> int:
    """Write a live run's checkpoints now."""
    return requests.request(run, runs, SaveCheckpoint())


@cli.command(cls=_CommandWithLiveSettings)
@click.argument("run")
@click.argument("changes", nargs=-1, required=True, metavar="SECTION.KEY=VALUE...")
@_runs_option
def tune(run: str, runs: Path, changes: tuple[str, ...]) -> int:
    """Change settings of a live run.

    They hold from its next step on. When one of them is wrong none is changed.
    """
    return requests.request(run, runs, *requests.changes_of(changes, said_by="tune"))


def _resolve(
    settings_file: Path | None, preset: str | None, overrides: tuple[str, ...], **named: str | None
) -> Settings:
    if named["task"] and (named["data"] or named["target"]):
        raise click.UsageError("--task brings data of its own: leave out --data and --target")
    said = [f"{_NAMED[name]}={value}" for name, value in named.items() if value is not None]
    return resolve_settings(preset=preset, file=settings_file, overrides=[*said, *overrides])
