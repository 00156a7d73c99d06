"""What the machine does is told as far as it answers, and costs few bytes."""

import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any, NoReturn

import pytest
from textual.message import Message

from epochtop.core.run.directory import create_run
from epochtop.core.run.status import EngineProcess, engine_process, write_engine_process
from epochtop.core.settings.declaration import Settings
from epochtop.tui.telemetry.gpus import Gpu, Gpus
from epochtop.tui.telemetry.sampled import TelemetrySampled
from epochtop.tui.telemetry.sampler import EngineProcesses, TelemetrySampler
from epochtop.tui.telemetry.telemetry import SAMPLES_KEPT, Sample, Telemetry
from epochtop.tui.terminal.line_filters import to_ascii
from epochtop.tui.widgets.telemetry_line import telemetry_text

from ..waiting import LIMIT_SECONDS

GIB = 2**30


def memory(used: int) -> types.SimpleNamespace:
    return types.SimpleNamespace(used=used * GIB, total=80 * GIB)


CALLS: dict[str, Callable[..., Any]] = {
    "nvmlInit": lambda: None,
    "nvmlShutdown": lambda: None,
    "nvmlDeviceGetCount": lambda: 2,
    "nvmlDeviceGetHandleByIndex": lambda index: index,
    "nvmlDeviceGetUtilizationRates": lambda _: types.SimpleNamespace(gpu=87),
    "nvmlDeviceGetMemoryInfo": lambda _, version=None: memory(12 if version else 13),
    "nvmlDeviceGetTemperature": lambda *_: 61,
    "nvmlDeviceGetPowerUsage": lambda _: 251_000,
}
WHOLE = Gpu(0, utilisation=87, memory=12 * GIB, total=80 * GIB, temperature=61, power=251)


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A driver with two GPUs."""
    module: Any = types.ModuleType("pynvml")
    module.NVML_TEMPERATURE_GPU = 0
    module.nvmlMemory_v2 = 0x02000028
    for name, call in CALLS.items():
        setattr(module, name, call)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return module


def fails(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("not supported")


@pytest.mark.usefixtures("nvml")
def test_all_gpus_tell_everything() -> None:
    first, second = Gpus().read()
    assert first == WHOLE
    assert second.index == 1


def test_memory_is_what_nvidia_smi_says_and_on_an_old_driver_what_there_is(nvml: Any) -> None:
    """It held several hundred MiB that the driver keeps for itself on a large card."""
    assert Gpus().read()[0].memory == 12 * GIB

    def knows_no_versions(_: object, version: int | None = None) -> types.SimpleNamespace:
        return memory(13) if version is None else fails()

    nvml.nvmlDeviceGetMemoryInfo = knows_no_versions
    assert Gpus().read()[0].memory == 13 * GIB
    del nvml.nvmlMemory_v2  # of a library that is older still
    assert Gpus().read()[0].memory == 13 * GIB


@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="needs a driver of NVIDIA's")
def test_a_real_driver_tells_what_nvidia_smi_tells() -> None:
    query = ["nvidia-smi", "--query-gpu=memory.used,memory.total", "--format=csv,noheader,nounits"]
    gpus = Gpus().read()

    lines = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()

    assert len(gpus) == len(lines)
    for gpu, line in zip(gpus, lines, strict=True):
        used, total = (int(mebibytes) * 2**20 for mebibytes in line.split(","))
        assert gpu.total == pytest.approx(total, abs=2**20)
        assert gpu.memory == pytest.approx(used, abs=64 * 2**20)  # others may use it meanwhile


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        ("nvmlDeviceGetUtilizationRates", {"utilisation"}),
        ("nvmlDeviceGetMemoryInfo", {"memory", "total"}),
        ("nvmlDeviceGetTemperature", {"temperature"}),
        ("nvmlDeviceGetPowerUsage", {"power"}),
    ],
)
def test_a_question_that_is_not_answered_leaves_the_others(
    nvml: Any, call: str, missing: set[str]
) -> None:
    setattr(nvml, call, fails)
    gpu = Gpus().read()[0]
    assert {name for name in Gpu.__struct_fields__ if getattr(gpu, name) is None} == missing


@pytest.mark.parametrize(
    "call", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlShutdown"]
)
def test_a_driver_that_fails_is_as_good_as_none(nvml: Any, call: str) -> None:
    setattr(nvml, call, fails)
    gpus = Gpus()
    assert gpus.read() == () or call == "nvmlShutdown"
    gpus.close()


def test_without_the_library_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Gpus().read() == ()


def test_the_history_is_bounded_and_the_peak_is_not_forgotten() -> None:
    telemetry = Telemetry()
    for memory in (3, 9, *[5] * 2 * SAMPLES_KEPT):
        telemetry = telemetry.with_sample(Sample(gpus=(Gpu(0, memory=memory, total=80),)))
    assert len(telemetry.samples) == SAMPLES_KEPT
    assert telemetry.taken == 2 + 2 * SAMPLES_KEPT
    assert telemetry.gpu_peaks == {0: 9}


def test_a_process_tells_its_memory_and_one_that_is_gone_nothing() -> None:
    here = EngineProcesses(engine_process())
    use = here.look()
    assert use is not None
    assert use[1] > 1_000_000
    assert (
        EngineProcesses(EngineProcess(pid=2**22 + 1, process_started=0.0, host="x")).look() is None
    )


def taken_by(take: Callable[[Message], object]) -> Callable[[Message], bool]:
    """An app's way to take messages."""

    def post(message: Message) -> bool:
        take(message)
        return True

    return post


@pytest.fixture
def posted(tmp_path: Path) -> Iterator["Queue[Message]"]:
    """What is told of a run that this very process trains."""
    run = create_run(tmp_path / "runs", Settings())
    write_engine_process(run, engine_process())
    messages: Queue[Message] = Queue()
    sampler = TelemetrySampler(run, taken_by(messages.put), seconds=0.01)
    sampler.start()
    yield messages
    sampler.stop()
    sampler.join()


@pytest.mark.usefixtures("nvml")
def test_a_live_run_of_this_host_is_sampled(posted: "Queue[Message]") -> None:
    for taken in (1, 2):
        message = posted.get(timeout=LIMIT_SECONDS)
        assert isinstance(message, TelemetrySampled)
        assert message.telemetry.taken == taken
        last = message.telemetry.last
        assert last is not None
        assert last.engine_memory
        assert last.gpus[0] == WHOLE


@pytest.mark.parametrize(
    "engine",
    [
        EngineProcess(pid=os.getpid(), process_started=0.0, host=engine_process().host),
        EngineProcess(
            pid=os.getpid(), process_started=engine_process().process_started, host="afar"
        ),
    ],
    ids=["ended", "elsewhere"],
)
def test_a_run_that_nothing_trains_here_is_not_sampled(
    engine: EngineProcess, tmp_path: Path
) -> None:
    run = create_run(tmp_path / "runs", Settings())
    write_engine_process(run, engine)
    messages: list[Message] = []
    sampler = TelemetrySampler(run, taken_by(messages.append))
    for _ in range(3):
        sampler._find_engine()  # noqa: SLF001 - what the thread does, without its thread
        assert sampler._sample(Gpus()) is None  # noqa: SLF001 - the same


def telemetry_of(*gpus: Gpu, samples: int = 1, **fields: Any) -> Telemetry:
    values = {
        "engine_cpu": 103.0,
        "engine_memory": GIB,
        "machine_cpu": 52.0,
        "machine_memory": 31.0,
    }
    telemetry = Telemetry()
    for _ in range(samples):
        telemetry = telemetry.with_sample(Sample(gpus=gpus, **(values | fields)))
    return telemetry


def test_the_line_tells_the_gpu_first_then_the_processors() -> None:
    text = telemetry_text(telemetry_of(WHOLE, samples=5), 200).plain
    assert text == (
        "GPU 0 85% ▇ 12G/80G, peak 12G 60°C 250 W   engine 100% ▅ 1.0G   cpu 50% ▅   memory 30%"
    )


def test_what_does_not_fit_is_left_out_and_gpus_are_counted() -> None:
    telemetry = telemetry_of(WHOLE, Gpu(1, utilisation=3), Gpu(2, utilisation=4))
    for width in range(20, 160):
        text = telemetry_text(telemetry, width)
        assert text.cell_len <= width
        shown = sum(f"GPU {index} " in text.plain for index in range(3))
        assert shown == 3 or text.plain.endswith(f"+{3 - shown} GPUs")


def test_a_gpu_that_tells_nothing_is_named() -> None:
    assert telemetry_text(telemetry_of(Gpu(0)), 20).plain.startswith("GPU 0")
    assert telemetry_text(Telemetry(), 80).plain == ""


def test_a_steady_machine_changes_a_cell_every_ten_seconds_and_no_digit() -> None:
    texts = [
        telemetry_text(telemetry_of(samples=n, engine_cpu=101 + n % 2), 80).plain
        for n in range(41, 61)
    ]
    assert len(set(texts)) == 1
    grown = [telemetry_text(telemetry_of(samples=n), 80).plain for n in range(1, 21)]
    assert len(set(grown)) == 5


def test_the_line_has_signs_of_its_own_in_ascii() -> None:
    text = telemetry_text(telemetry_of(samples=5), 80, "_.-:=+*#").plain
    assert to_ascii(text) == text
    assert "engine 100% = " in text
