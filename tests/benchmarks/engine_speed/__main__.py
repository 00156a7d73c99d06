"""Runs the benchmark: a table a problem as soon as it is measured."""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from .contest import Contest, Rounds
from .contestant import CONTESTANTS, PLAIN, Contestant, reference_on
from .problem import problems
from .report import learns_the_same, lines

ON_A_CPU = ("seed", "digits", "large")
PROBLEM_NAMES = (*ON_A_CPU, "wide")


def main() -> int:
    """Measure and print; 1 when epochtop does not learn what the reference learns."""
    arguments = _arguments()
    device = arguments.device
    names = arguments.problem or (ON_A_CPU if device == "cpu" else PROBLEM_NAMES)
    contestants = _who_takes_part(arguments.only, device)
    measured: dict[str, Rounds] = {}
    with tempfile.TemporaryDirectory() as directory:
        files = Path(directory)
        with Contest(contestants, reference_on(device), files, arguments.threads) as contest:
            for problem in problems(files, device):
                if problem.name in names:
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
    parser.add_argument("--problem", nargs="+", choices=PROBLEM_NAMES, metavar="NAME")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="cpu, cuda or cuda:1")
    parser.add_argument("--threads", type=int, metavar="N", help="by default torch's own choice")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all figures")
    return parser.parse_args()


def _who_takes_part(names: list[str], device: str) -> list[Contestant]:
    """The plain loop and the reference, and those asked for that are installed."""
    always = (PLAIN, reference_on(device))
    wanted = [each for each in CONTESTANTS if each.name in names or each in always]
    if device != "cpu":
        wanted = [each for each in wanted if not each.only_on_cpu]
    for each in wanted:
        if not each.is_installed:
            print(f"{each.name} is left out: {each.needs} is not installed", file=sys.stderr)
    return [each for each in wanted if each.is_installed]


if __name__ == "__main__":
    sys.exit(main())
