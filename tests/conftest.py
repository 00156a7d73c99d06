import os

import hypothesis
import pytest

# CI tries the same examples each time, so that a change fails by what it changes; a developer's
# runs go on looking for new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(autouse=True)
def no_runs_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests say where runs live; a developer's environment must not."""
    monkeypatch.delenv("EPOCHTOP_RUNS", raising=False)
