"""What the machine is doing while a run trains: numbers now, and a short history of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from .gpus import Gpu

SAMPLES_KEPT = 60


class Sample(msgspec.Struct, frozen=True):
    """The machine and the engine's processes at one time; None is what could not be told.

    Attributes:
        engine_cpu: percent of one core, of the engine and its loader workers together.
        engine_memory: bytes resident, of the same; pages that they share count for each.
        machine_cpu: percent of all cores.
        machine_memory: percent in use.
        gpus: those that answered.
    """

    engine_cpu: float | None = None
    engine_memory: int | None = None
    machine_cpu: float | None = None
    machine_memory: float | None = None
    gpus: tuple[Gpu, ...] = ()


class Telemetry(msgspec.Struct, frozen=True):
    """The newest samples of a run, and the most GPU memory that was seen in use.

    Attributes:
        samples: the newest last, at most `SAMPLES_KEPT`.
        taken: how many there have been.
        gpu_peaks: bytes, by the GPU's index.
    """

    samples: tuple[Sample, ...] = ()
    taken: int = 0
    gpu_peaks: Mapping[int, int] = msgspec.field(default_factory=dict)

    @property
    def last(self) -> Sample | None:
        """The newest sample."""
        return self.samples[-1] if self.samples else None

    def with_sample(self, sample: Sample) -> Telemetry:
        """The telemetry after one more."""
        used = {gpu.index: gpu.memory for gpu in sample.gpus if gpu.memory is not None}
        peaks = {index: max(memory, self.gpu_peaks.get(index, 0)) for index, memory in used.items()}
        return replace(
            self,
            samples=(*self.samples, sample)[-SAMPLES_KEPT:],
            taken=self.taken + 1,
            gpu_peaks={**self.gpu_peaks, **peaks},
        )
