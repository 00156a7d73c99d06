"""Every command of the command line, with the options of its own.

What a command does is in `commands`.
"""

from pathlib import Path
from typing import Any

import click

from ...core.run.control import Pause, SaveCheckpoint, Stop
from . import commands, output, requests
from .options import (
    CommandWithLiveSettings,
    CommandWithSettings,
    name_option,
    resolve,
    runs_option,
    settings_options,
    values_option,
)
from .screen import ScreenOptions, open_screen
from .screen_options import screen_options


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


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="epochtop", message="%(prog)s %(version)s")
@runs_option
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
@runs_option
def demo(runs: Path, screen: ScreenOptions) -> int:
    """Open the screen with the default run started.

    Without a terminal on stdout it trains headless and prints, like `train`.
    """
    return commands.demo(runs, screen)


@cli.command(cls=CommandWithSettings)
@settings_options
@name_option
@click.option("--json", "as_json", is_flag=True, help="Print the journal's records, nothing else.")
@runs_option
def train(runs: Path, name: str | None, *, as_json: bool, **chosen: Any) -> int:
    """Train in the foreground: a line per epoch, at the end a summary and the loss curve."""
    return commands.train(resolve(**chosen), runs, name, as_json=as_json)


@cli.command(cls=CommandWithSettings)
@settings_options
@name_option
@runs_option
def start(runs: Path, name: str | None, **chosen: Any) -> int:
    """Train in the background: print the run's directory and return once it has begun."""
    return commands.start(resolve(**chosen), runs, name)


@cli.command("lr-find", cls=CommandWithSettings)
@settings_options
@click.option("--lowest", default=1e-7, show_default=True, help="The first learning rate.")
@click.option("--highest", default=10.0, show_default=True, help="The last one.")
@click.option("--steps", default=100, show_default=True, help="How many to try.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def find_lr(lowest: float, highest: float, steps: int, *, as_json: bool, **chosen: Any) -> int:
    """Try learning rates from tiny to huge, a step each, and suggest one. Creates no run."""
    from .lr_find import lr_find

    settings = resolve(**chosen)
    return lr_find(settings, lowest=lowest, highest=highest, steps=steps, as_json=as_json)


@cli.command()
@click.argument("run", required=False)
@screen_options
@runs_option
def watch(run: str | None, runs: Path, screen: ScreenOptions) -> int:
    """Open the screen on a run, live or finished; without a terminal, print it.

    RUN is a directory, a run's name or the start of one; by default the newest live run, else
    the newest.
    """
    return commands.watch(run, runs, screen)


@cli.command("runs")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@runs_option
def list_runs(runs: Path, *, as_json: bool) -> int:
    """List the runs, oldest first, with how they stand."""
    return commands.list_runs(runs, as_json=as_json)


@cli.command()
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@runs_option
def show(run: str, runs: Path, *, as_json: bool) -> int:
    """Print one run's summary and its loss curve."""
    return commands.show(run, runs, as_json=as_json)


@cli.command()
@click.argument("run")
@values_option("--patience", "N", "Stop after so many epochs in a row without improvement.")
@values_option("--gl", "A", "Prechelt's GL: stop at a loss so many percent above the lowest.")
@values_option("--pq", "A", "Prechelt's PQ: GL over training progress, stop above this.")
@values_option("--up", "S", "Prechelt's UP: stop after so many rising strips of 5 epochs in a row.")
@values_option("--min-delta", "X", "What an improvement has to be, for each of the rules.")
@values_option("--min-epochs", "N", "Never stop before this epoch, for each of the rules.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@runs_option
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
@runs_option
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
@runs_option
def stop(run: str, runs: Path, *, now: bool) -> int:
    """Ask a live run to stop after its epoch."""
    return requests.request(run, runs, Stop("now" if now else "epoch"))


@cli.command(cls=CommandWithLiveSettings)
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
@runs_option
def resume(run: str, runs: Path, overrides: tuple[str, ...], **how: bool) -> int:
    """Go on with a run from its last checkpoint.

    Whatever ended it: it trains in the foreground and prints, like train. A live run that is
    paused goes on where it is.
    """
    return commands.resume(run, runs, overrides, **how)


@cli.command()
@click.argument("run")
@runs_option
def pause(run: str, runs: Path) -> int:
    """Let a live run stand still until it is resumed."""
    return requests.request(run, runs, Pause())


@cli.command()
@click.argument("run")
@runs_option
def checkpoint(run: str, runs: Path) -> int:
    """Write a live run's checkpoints now."""
    return requests.request(run, runs, SaveCheckpoint())


@cli.command(cls=CommandWithLiveSettings)
@click.argument("run")
@click.argument("changes", nargs=-1, required=True, metavar="SECTION.KEY=VALUE...")
@runs_option
def tune(run: str, runs: Path, changes: tuple[str, ...]) -> int:
    """Change settings of a live run.

    They hold from its next step on. When one of them is wrong none is changed.
    """
    return requests.request(run, runs, *requests.changes_of(changes, said_by="tune"))
