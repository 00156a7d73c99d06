import pytest

from epochtop.core import Run


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small run that was trained without an interruption."""
    from .resumptions import train

    return train(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def at_every_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let engines in this process see commands at the very next step."""
    from .resumptions import look_at_every_ask

    look_at_every_ask(monkeypatch)
