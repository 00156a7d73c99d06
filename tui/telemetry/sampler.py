"""Samples a live run's processes and this machine in a thread, every two seconds."""

import socket
import threading
from collections.abc import Callable

import psutil
from textual.message import Message

from ...core.run.directory import Run
from ...core.run.status import EngineProcess, read_engine_process
from .gpus import Gpus
from .sampled import TelemetrySampled
from .telemetry import Sample, Telemetry

SECONDS_BETWEEN_SAMPLES = 2.0
# To list a process's children all processes of the machine are looked at.
_SAMPLES_BETWEEN_LISTS = 5


class EngineProcesses:
    """The engine of a run and its children, whose use of the processor is told by differences."""

    def __init__(self, engine: EngineProcess) -> None:
        self.engine = engine
        self._processes: list[psutil.Process] = []
        self._looks = 0

    def look(self) -> tuple[float, int] | None:
        """Percent of one core since the last look, and bytes resident; None without a process."""
        if self._looks % _SAMPLES_BETWEEN_LISTS == 0:
            self._list()
        self._looks += 1
        used = [use for process in self._processes if (use := _use(process)) is not None]
        if not used:
            return None
        return sum(cpu for cpu, _ in used), sum(memory for _, memory in used)

    def _list(self) -> None:
        """Keep the processes that are known: a new object would not know when it looked last."""
        known = {process.pid: process for process in self._processes}
        try:
            engine = known.get(self.engine.pid) or psutil.Process(self.engine.pid)
            found = [engine, *engine.children(recursive=True)]
        except psutil.Error:
            found = []
        self._processes = [known.get(process.pid, process) for process in found]


class TelemetrySampler(threading.Thread):
    """Posts a run's telemetry while this host trains it, until it is stopped.

    Args:
        run: what is trained.
        post: takes a message from any thread.
        seconds: between two samples.
    """

    def __init__(
        self,
        run: Run,
        post: Callable[[Message], bool],
        seconds: float = SECONDS_BETWEEN_SAMPLES,
    ) -> None:
        super().__init__(name=f"telemetry of {run.name}", daemon=True)
        self._run = run
        self._post = post
        self._seconds = seconds
        self._stopped = threading.Event()
        self._telemetry = Telemetry()
        self._processes: EngineProcesses | None = None

    def run(self) -> None:
        """Sample and post; the thread's own work. Of the first look nothing is told yet."""
        gpus = Gpus()
        psutil.cpu_percent()
        self._find_engine()
        if self._processes is not None:
            self._processes.look()
        while not self._stopped.wait(self._seconds):
            if (sample := self._sample(gpus)) is not None:
                self._telemetry = self._telemetry.with_sample(sample)
                self._post(TelemetrySampled(self._run, self._telemetry))
        gpus.close()

    def stop(self) -> None:
        """Ask the thread to end; it may be waiting for a driver, and nobody waits for it."""
        self._stopped.set()

    def _sample(self, gpus: Gpus) -> Sample | None:
        """The machine and the run on it; None while nothing trains the run here."""
        self._find_engine()
        if self._processes is None or (use := self._processes.look()) is None:
            return None
        cpu, memory = use
        return Sample(
            engine_cpu=cpu,
            engine_memory=memory,
            machine_cpu=psutil.cpu_percent(),
            machine_memory=psutil.virtual_memory().percent,
            gpus=gpus.read(),
        )

    def _find_engine(self) -> None:
        """Look who trains the run: when it is gone on with, that is another process."""
        engine = read_engine_process(self._run)
        if engine is None or engine.host != socket.gethostname() or not engine.is_alive():
            self._processes = None
        elif self._processes is None or self._processes.engine != engine:
            self._processes = EngineProcesses(engine)


def _use(process: psutil.Process) -> tuple[float, int] | None:
    try:
        with process.oneshot():
            return process.cpu_percent(), process.memory_info().rss
    except psutil.Error:
        return None
