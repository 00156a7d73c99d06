import os
from collections.abc import Iterator

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
def no_runs_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests say where runs live; a developer's environment must not."""
    monkeypatch.delenv("EPOCHTOP_RUNS", raising=False)
