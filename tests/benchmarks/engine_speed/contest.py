"""The contest: each contestant in a process of its own, of which one works at a time."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from .contestant import PLAIN, Contestant
from .epochs import Measurement
from .problem import Problem


class Rounds(msgspec.Struct, frozen=True):
    """What was measured of a problem.

    `of` are the measurements by contestant, one a round. `plain_on` are the plain loop's losses
    on each number of threads that somebody trained on: two numbers of threads round differently,
    and training amplifies it.
    """

    of: dict[str, list[Measurement]]
    plain_on: dict[int, Measurement]


class Order(msgspec.Struct, frozen=True):
    """What a contestant's process is asked to train, and on how many threads if not its own."""

    problem: Problem
    overrides: tuple[str, ...]
    threads: int | None = None


class ContestantError(Exception):
    """A contestant's process ended without an answer."""


class ContestantProcess:
    """Trains what it is asked to, one order after the other, and sleeps in between."""

    def __init__(self, contestant: Contestant, logs: Path, threads: int | None) -> None:
        said = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
        self.contestant = contestant
        self._log = logs / f"{contestant.name}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.serve", contestant.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | said,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def train(self, problem: Problem, threads: int | None = None) -> Measurement:
        """Train once, on a number of threads of its own choice or on this one.

        Raises:
            ContestantError: it failed; the message is what its process wrote.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = Order(problem, self.contestant.overrides, threads)
        with suppress(BrokenPipeError):  # it failed already: there will be no answer
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ContestantError(f"{self.contestant.name} failed:\n{self._log.read_text()}")
        return msgspec.json.decode(answer, type=Measurement)


class Contest:
    """All contestants' processes, alive until the `with` block ends."""

    def __init__(self, contestants: Sequence[Contestant], logs: Path, threads: int | None) -> None:
        self._stack = ExitStack()
        self._processes = [
            self._stack.enter_context(ContestantProcess(each, logs, threads))
            for each in contestants
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def hold(self, problem: Problem, rounds: int) -> Rounds:
        """Let each train once a round, every other round in the opposite order."""
        measured: dict[str, list[Measurement]] = {
            process.contestant.name: [] for process in self._processes
        }
        for n in range(rounds):
            for process in self._processes if n % 2 == 0 else reversed(self._processes):
                measured[process.contestant.name].append(process.train(problem))
        return Rounds(measured, self._plain_on_as_many_threads(problem, measured))

    def _plain_on_as_many_threads(
        self, problem: Problem, measured: dict[str, list[Measurement]]
    ) -> dict[int, Measurement]:
        plain = next(each for each in self._processes if each.contestant is PLAIN)
        own = measured[PLAIN.name][0]
        others = {one.threads for rounds in measured.values() for one in rounds} - {own.threads}
        return {own.threads: own} | {n: plain.train(problem, threads=n) for n in others}
