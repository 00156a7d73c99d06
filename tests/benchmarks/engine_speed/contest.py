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

from .contestant import Contestant
from .epochs import Measurement
from .problem import Problem


class Rounds(msgspec.Struct, frozen=True):
    """What was measured of a problem.

    `of` are the measurements by contestant, one a round. `reference` is the loop whose losses are
    `expected_on` each number of threads that somebody trained on: two numbers of threads round
    differently, and training amplifies it.
    """

    of: dict[str, list[Measurement]]
    reference: str
    expected_on: dict[int, Measurement]


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
    """All contestants' processes, alive until the `with` block ends; `reference` is one of them."""

    def __init__(
        self,
        contestants: Sequence[Contestant],
        reference: Contestant,
        logs: Path,
        threads: int | None,
    ) -> None:
        self._reference = reference
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
        expected = self._expected_on_as_many_threads(problem, measured)
        return Rounds(measured, self._reference.name, expected)

    def _expected_on_as_many_threads(
        self, problem: Problem, measured: dict[str, list[Measurement]]
    ) -> dict[int, Measurement]:
        loop = next(each for each in self._processes if each.contestant is self._reference)
        own = measured[self._reference.name][0]
        others = {one.threads for rounds in measured.values() for one in rounds} - {own.threads}
        return {own.threads: own} | {n: loop.train(problem, threads=n) for n in others}
