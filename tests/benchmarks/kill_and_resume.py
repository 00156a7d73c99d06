"""Kill the engine with SIGKILL at random moments, writes included, and resume it each time.

    python -m tests.benchmarks.kill_and_resume [KILLS] [SEED]

A run of a model with dropout, batch normalisation and momentum, on a loader that shuffles and
augments, under a schedule and gradient clipping, is trained once without an interruption. Then it
is trained again and killed, and gone on with and killed, until it ends; and so on until there were
so many kills. Half of them come at any moment, half when a checkpoint is being written; the engine
spends half of its time on writing some. After each kill:

- every checkpoint that is there can be read, and none is older than before;
- the journal holds the record of each epoch up to the one that is resumed, equal to the
  uninterrupted run's to the last bit;

and when a run ends, its weights, its optimiser's state, its best weights and all of its records
equal the uninterrupted run's. Prints a table; the exit code is 1 if anything of this failed.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from epochtop.core import Run, load_checkpoint, resolve_settings
from epochtop.core.errors import CheckpointError
from epochtop.core.events import EpochCompleted, RunFinished, RunResumed, Warned
from epochtop.core.run.directory import create_run

from ..core import fork_server
from ..core.engines import events_of
from ..core.forked_engines import CHECKPOINTS_ALL_THE_TIME
from ..core.interruptions import comparable, standing
from . import killed_task

SETTINGS = (
    f"task={killed_task.__file__}:build",
    *("optim.name=sgd", "optim.momentum=0.9", "optim.lr=0.1", "optim.schedule=one_cycle"),
    *("optim.clip_norm=1", "train.epochs=15", "stopping.patience=0", "train.device=cpu"),
)
_CHECKPOINTS = ("last.pt", "last.previous.pt", "best.pt", "best.previous.pt")
# In which an engine comes about as far as a third of the run.
_LONGEST_LIFE = 0.4
_LONGEST_WRITING = 0.004


class Campaign:
    """Kills engines and checks what they leave."""

    def __init__(self, runs: Path, kills: int, seed: int) -> None:
        self._runs = runs
        self._kills = kills
        self._random = random.Random(seed)  # noqa: S311 - nothing secret
        self._settings = resolve_settings(overrides=SETTINGS)
        self.moments: Counter[str] = Counter()
        self.failures: list[str] = []
        self.runs_ended = 0
        self.resumed_within_epoch = 0
        whole = self._new_run()
        self._expect(os.waitpid(self._start(whole), 0)[1] == 0, whole, "it did not end")
        self._records = comparable(standing(events_of(whole)))
        self._files = {name: _content(whole.path / name) for name in ("last.pt", "best.pt")}

    def __call__(self) -> None:
        """Kill so many engines, and train the last run to its end."""
        while self._kills > 0:
            run = self._new_run()
            while not self._dies(run):
                pass
            self._check_end(run)

    def _dies(self, run: Run) -> bool:
        """Start an engine and kill it, if there is a kill left; whether the run has ended."""
        pid = self._start(run)
        if self._kills > 0:
            self._wait_for_a_moment(run, pid)
            os.kill(pid, signal.SIGKILL)
        if os.waitpid(pid, 0)[1] != signal.SIGKILL:
            return True
        self._kills -= 1
        self._check_killed(run)
        return False

    def _wait_for_a_moment(self, run: Run, pid: int) -> None:
        """Any moment of an engine's life, or one while it writes a checkpoint."""
        end = time.monotonic() + self._random.uniform(0.0, _LONGEST_LIFE)
        is_writing = self._random.random() < 0.5
        unfinished = [run.path / f".{name}.tmp" for name in ("last.pt", "best.pt")]
        _wait_until(end)
        if is_writing:
            while not any(path.exists() for path in unfinished) and _is_alive(pid):
                pass
            _wait_until(time.monotonic() + self._random.uniform(0.0, _LONGEST_WRITING))

    def _check_killed(self, run: Run) -> None:
        self.moments[_moment(run)] += 1
        for name in _CHECKPOINTS:
            if (run.path / name).exists():
                self._expect(_content(run.path / name) is not None, run, f"{name} is damaged")
        epoch = self._epoch_on_disk(run)
        records = comparable(standing(events_of(run)))
        self._expect(len(records) >= epoch, run, f"a record up to epoch {epoch} is lost")
        self._expect(records == self._records[: len(records)], run, "a record differs")

    def _epoch_on_disk(self, run: Run) -> int:
        path = run.path / "last.pt"
        return int(load_checkpoint(path)["epoch"]) if path.exists() else 0

    def _check_end(self, run: Run) -> None:
        self.runs_ended += 1
        events = events_of(run)
        resumed = [event for event in events if isinstance(event, RunResumed)]
        self.resumed_within_epoch += sum(event.batches_into_next_epoch > 0 for event in resumed)
        places = [event.step for event in resumed]
        self._expect(places == sorted(places), run, "it went on from an older place than before")
        warned = [event.message for event in events if isinstance(event, Warned)]
        self._expect(not warned, run, f"it warned: {warned[:1]}")
        ends = sum(isinstance(event, RunFinished) for event in events)
        self._expect(ends == 1, run, f"it has {ends} records of its end")
        self._expect(comparable(standing(events)) == self._records, run, "its records differ")
        for name, content in self._files.items():
            self._expect(_content(run.path / name) == content, run, f"{name} differs")

    def _expect(self, holds: bool, run: Run, failure: str) -> None:
        if not holds:
            self.failures.append(f"{run.name}, {self._kills} kills before the last: {failure}")

    def _new_run(self) -> Run:
        return create_run(self._runs, self._settings, "killed")

    def _start(self, run: Run) -> int:
        return fork_server.start([str(run.path)], str(run.log_path), CHECKPOINTS_ALL_THE_TIME)


def _content(path: Path) -> Any:
    """A checkpoint's content in a form that compares, without its run; None if it is damaged."""
    try:
        content = load_checkpoint(path)
    except CheckpointError:
        return None
    del content["run"]
    return comparable(content)


def _moment(run: Run) -> str:
    """When an engine was killed, as far as its files tell."""
    if any(run.path.glob(".*.pt.tmp")):
        return "while a checkpoint was written"
    journal = run.journal_path.read_bytes() if run.journal_path.exists() else b""
    if journal and not journal.endswith(b"\n"):
        return "while the journal was written"
    if not journal:
        return "before it had begun"
    last = events_of(run)[-1]
    return "just after an epoch" if isinstance(last, EpochCompleted) else "at another moment"


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _is_alive(pid: int) -> bool:
    """Whether a child still runs; it stays to be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _lines(campaign: Campaign) -> Iterator[str]:
    for moment, count in campaign.moments.most_common():
        yield f"{'killed ' + moment:45} {count:5}"
    yield f"{'resumed within an epoch':45} {campaign.resumed_within_epoch:5}"
    yield f"{'runs trained to their end':45} {campaign.runs_ended:5}"
    yield f"{'failures':45} {len(campaign.failures):5}"
    yield from campaign.failures


def main() -> int:
    """Kill as many as the first argument says and print a table."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)
    torch.set_num_threads(1)  # threads do not survive a fork
    fork_server.load_what_engines_need()
    print(f"seed {seed}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        campaign = Campaign(Path(directory), kills, seed)
        campaign()
    print("\n".join(_lines(campaign)))
    print(f"{'seconds':45} {time.monotonic() - began:5.0f}")
    return 1 if campaign.failures else 0


if __name__ == "__main__":
    sys.exit(main())
