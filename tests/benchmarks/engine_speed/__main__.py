"""Runs the benchmark: a table a problem as soon as it is measured."""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from .contest import Contest, Rounds
from .contestant import CONTESTANTS, PLAIN, Contestant
from .problem import problems
from .report import learns_the_same, lines

PROBLEM_NAMES = ("seed", "digits", "large")


def main() -> int:
    """Measure and print; 1 when epochtop does not learn what the plain loop learns."""
    arguments = _arguments()
    measured: dict[str, Rounds] = {}
    with tempfile.TemporaryDirectory() as directory:
        files = Path(directory)
        with Contest(_who_takes_part(arguments.only), files, arguments.threads) as contest:
            for problem in problems(files):
                if problem.name in arguments.problem:
                    rounds = contest.hold(problem, arguments.rounds)
                    measured[problem.name] = rounds
                    print("\n".join(lines(problem, rounds)), end="\n\n", flush=True)
    if arguments.json is not None:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(measured)))
    return 0 if all(learns_the_same(rounds) for rounds in measured.values()) else 1


def _arguments() -> argparse.Namespace:
    names = [contestant.name for contestant in CONTESTANTS]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine_speed")
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument(
        "--problem", nargs="+", choices=PROBLEM_NAMES, default=PROBLEM_NAMES, metavar="NAME"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="by default torch's own choice")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all figures")
    return parser.parse_args()


def _who_takes_part(names: list[str]) -> list[Contestant]:
    """The plain loop, and the contestants asked for that are installed."""
    wanted = [each for each in CONTESTANTS if each.name in names or each is PLAIN]
    for each in wanted:
        if not each.is_installed:
            print(f"{each.name} is left out: {each.needs} is not installed", file=sys.stderr)
    return [each for each in wanted if each.is_installed]


if __name__ == "__main__":
    sys.exit(main())
