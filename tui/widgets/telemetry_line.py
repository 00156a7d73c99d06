"""The machine in one line: the engine's processes, all processors, every GPU that fits."""

from collections.abc import Callable, Iterator, Sequence

from rich.text import Text
from textual.strip import Strip

from ..telemetry.gpus import Gpu
from ..telemetry.telemetry import Sample, Telemetry
from .painted import Painted, text_strip

_GAP = "   "
_BARS = "▁▂▃▄▅▆▇█"
# Where there are no bars: as dark as these are.
_ASCII_BARS = "_.-:=+*#"
# A cell stands for so many samples and is drawn when they are there: what moves at every sample
# would be sent at every sample.
_SAMPLES_A_CELL = 5
_CELLS = 8
_GIB = 2**30


class TelemetryLine(Painted):
    """Shows numbers rounded so that they stay while nothing much changes."""

    DEFAULT_CSS = "TelemetryLine { height: 1; padding: 0 1; }"

    def __init__(self, *, in_ascii: Callable[[], bool]) -> None:
        super().__init__()
        self._telemetry = Telemetry()
        self._is_resting = False
        self._in_ascii = in_ascii

    def show(self, telemetry: Telemetry) -> None:
        """Show these samples, unless the run is paused."""
        if not self._is_resting or telemetry.last is None:
            self._telemetry = telemetry
            self.repaint()

    @property
    def is_known(self) -> bool:
        """Whether there is something to show."""
        return self._telemetry.last is not None

    def rest(self, is_resting: bool) -> None:
        """Keep what is shown while the run is paused: a screen at rest sends nothing."""
        if is_resting != self._is_resting:
            self._is_resting = is_resting
            self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """As many parts as fit, and how many GPUs did not."""
        del height
        bars = _ASCII_BARS if self._in_ascii() else _BARS
        text = Text("at the pause: ", "dim") if self._is_resting else Text()
        text.append_text(telemetry_text(self._telemetry, width - text.cell_len, bars))
        return [text_strip(text, width)]


def telemetry_text(telemetry: Telemetry, width: int, bars: str = _BARS) -> Text:
    """The parts in the order of their weight; GPUs that do not fit are counted."""
    line = Text()
    if telemetry.last is None:
        return line
    gpus = [_gpu_part(telemetry, gpu, bars) for gpu in telemetry.last.gpus]
    parts = [*gpus[:1], *_processor_parts(telemetry, bars), *gpus[1:]]
    room = width - len(f"{_GAP}+{len(gpus)} GPUs") if len(gpus) > 1 else width
    shown = 0
    for part in parts:
        gap = _GAP if line else ""
        if line.cell_len + len(gap) + part.cell_len > room:
            break
        line.append(gap).append_text(part)
        shown += 1
    left = max(0, len(gpus) - 1 - max(0, shown - (len(parts) - len(gpus) + 1)))
    if gpus and shown == 0:
        left = len(gpus)
    return line.append(f"{_GAP}+{left} GPUs", "dim") if left and len(gpus) > 1 else line


def _processor_parts(telemetry: Telemetry, bars: str) -> Iterator[Text]:
    if (cpu := _recent(telemetry, _engine_cpu)) is not None:
        engine = _part("engine", f"{_rounded(cpu, 10)}%")
        engine.append(_history(telemetry, _engine_cpu, None, bars))
        memory = _recent(telemetry, lambda sample: sample.engine_memory)
        yield engine if memory is None else engine.append(f" {_gib(memory)}")
    if (cpu := _recent(telemetry, _machine_cpu)) is not None:
        machine = _part("cpu", f"{_rounded(cpu, 10)}%")
        yield machine.append(_history(telemetry, _machine_cpu, 100, bars))
    if (memory := _recent(telemetry, lambda sample: sample.machine_memory)) is not None:
        yield _part("memory", f"{_rounded(memory, 5)}%")


def _gpu_part(telemetry: Telemetry, gpu: Gpu, bars: str) -> Text:
    utilisation_of = _utilisation_of(gpu.index)
    busy = _recent(telemetry, utilisation_of)
    part = _part(f"GPU {gpu.index}", "" if busy is None else f"{_rounded(busy, 5)}%")
    if busy is not None:
        part.append(_history(telemetry, utilisation_of, 100, bars))
    if gpu.memory is not None and gpu.total is not None:
        peak = telemetry.gpu_peaks.get(gpu.index, gpu.memory)
        part.append(f" {_gib(gpu.memory)}/{_gib(gpu.total)}, peak {_gib(peak)}")
    if gpu.temperature is not None:
        part.append(f" {_rounded(gpu.temperature, 2)}°C")
    if gpu.power is not None:
        part.append(f" {_rounded(gpu.power, 10)} W")
    return part


def _engine_cpu(sample: Sample) -> float | None:
    return sample.engine_cpu


def _machine_cpu(sample: Sample) -> float | None:
    return sample.machine_cpu


def _utilisation_of(index: int) -> Callable[[Sample], float | None]:
    def utilisation(sample: Sample) -> float | None:
        return next((gpu.utilisation for gpu in sample.gpus if gpu.index == index), None)

    return utilisation


def _recent(telemetry: Telemetry, value_of: Callable[[Sample], float | None]) -> float | None:
    """The mean of the last few samples, which is steadier than the last of them."""
    return _mean([value_of(sample) for sample in telemetry.samples[-_SAMPLES_A_CELL:]])


def _history(
    telemetry: Telemetry,
    value_of: Callable[[Sample], float | None],
    highest: float | None,
    bars: str,
) -> str:
    """A bar for the mean of every few samples, from nothing to the highest there can be, or was."""
    values = [value_of(sample) for sample in telemetry.samples]
    values = values[: len(values) - telemetry.taken % _SAMPLES_A_CELL]
    starts = range(len(values) - _SAMPLES_A_CELL, -1, -_SAMPLES_A_CELL)
    means = [_mean(values[start : start + _SAMPLES_A_CELL]) for start in starts][:_CELLS]
    top = highest or _next_hundred([mean for mean in means if mean is not None])
    bar = "".join(_bar(mean, top, bars) for mean in reversed(means))
    return f" {bar}" if bar else ""


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _bar(value: float | None, highest: float, bars: str) -> str:
    if value is None:
        return " "
    return bars[min(len(bars) - 1, max(0, round(value / highest * (len(bars) - 1))))]


def _next_hundred(values: Sequence[float]) -> float:
    """Of a process of several threads: so many whole processors as it used."""
    return max(100.0, -(-max(values, default=0.0) // 100) * 100)


def _part(name: str, value: str) -> Text:
    return Text.assemble((name, "dim"), f" {value}" if value else "")


def _rounded(value: float, step: int) -> int:
    return round(value / step) * step


def _gib(size: float) -> str:
    """Bytes as GiB with two digits that count, so that they change rarely."""
    gib = size / _GIB
    return f"{gib:.0f}G" if gib >= 9.95 else f"{gib:.1f}G"
