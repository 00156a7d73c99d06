import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from .core.forked_engines import EngineServer

# Two workers with two threads each wait for each other on a machine with two cores; read when
# torch is loaded, here and in the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# CI tries the same examples each time, so that a change fails by what it changes; a developer's
# runs go on looking for new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def engines() -> Iterator[EngineServer]:
    """Starts real engine processes within milliseconds."""
    with EngineServer() as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests say where runs and preferences live, and how to draw; a developer's home must not."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("EPOCHTOP_RUNS", "NO_COLOR", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
