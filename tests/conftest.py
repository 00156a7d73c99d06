import pytest


@pytest.fixture(autouse=True)
def no_runs_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests say where runs live; a developer's environment must not."""
    monkeypatch.delenv("EPOCHTOP_RUNS", raising=False)
