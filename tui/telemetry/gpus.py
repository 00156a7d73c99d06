"""What NVIDIA's driver tells of its GPUs. Every question may go unanswered on its own."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_MILLIWATTS = 1000.0


class Gpu(msgspec.Struct, frozen=True):
    """A GPU now; None is what it does not tell.

    Attributes:
        index: as the driver counts.
        utilisation: percent of the time that a kernel ran.
        memory: bytes in use by all processes, as nvidia-smi counts them: without what the driver
            keeps for itself.
        total: bytes there are.
        temperature: degrees Celsius.
        power: Watts.
    """

    index: int
    utilisation: float | None = None
    memory: int | None = None
    total: int | None = None
    temperature: float | None = None
    power: float | None = None


class Gpus:
    """Asks the driver through NVML; without a driver, or without its library, there are none."""

    def __init__(self) -> None:
        self._nvml = _start_nvml()

    def read(self) -> tuple[Gpu, ...]:
        """All GPUs that answer anything."""
        if self._nvml is None:
            return ()
        return tuple(_read_all(self._nvml))

    def close(self) -> None:
        """Let the driver go."""
        if self._nvml is not None:
            _answer(self._nvml.nvmlShutdown)
            self._nvml = None


def _start_nvml() -> Any:
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001 - no library, no driver, another one: there is nothing to show
        return None
    return pynvml


def _read_all(nvml: Any) -> Iterator[Gpu]:
    for index in range(_answer(nvml.nvmlDeviceGetCount) or 0):
        device = _answer(partial(nvml.nvmlDeviceGetHandleByIndex, index))
        if device is not None:
            yield _read(nvml, index, device)


def _read(nvml: Any, index: int, device: Any) -> Gpu:
    rates = _answer(lambda: nvml.nvmlDeviceGetUtilizationRates(device))
    memory = _answer(lambda: _read_memory(nvml, device))
    power = _answer(lambda: nvml.nvmlDeviceGetPowerUsage(device))
    return Gpu(
        index,
        utilisation=None if rates is None else float(rates.gpu),
        memory=None if memory is None else int(memory.used),
        total=None if memory is None else int(memory.total),
        temperature=_answer(
            lambda: float(nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU))
        ),
        power=None if power is None else power / _MILLIWATTS,
    )


def _read_memory(nvml: Any, device: Any) -> Any:
    """Memory in use and in all; from a driver before version 510 with the driver's own part."""
    version = getattr(nvml, "nvmlMemory_v2", None)
    apart = version and _answer(lambda: nvml.nvmlDeviceGetMemoryInfo(device, version=version))
    return apart or nvml.nvmlDeviceGetMemoryInfo(device)


def _answer(ask: Callable[[], T]) -> T | None:
    """What a call returns; None when it fails, as each may on some card, driver or permission."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - NVML's errors are its own, a broken binding's are any
        return None
