"""A run whose data or checkpoints are not what they were: a clear message, and nothing is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from epochtop.core import Run, load_checkpoint
from epochtop.core.engine.process import resume_here
from epochtop.core.errors import CheckpointError, RunError
from epochtop.core.events import CheckpointSaved, Event
from epochtop.core.run.directory import create_run
from epochtop.core.settings.declaration import Settings

from .engines import endings
from .resumptions import (
    assert_same,
    checkpoint,
    damage,
    resume,
    resumed_record,
    save_at_every_ask,
    stopped,
    train,
    warnings_of,
    write_unchecked,
)

pytestmark = pytest.mark.usefixtures("at_every_ask")


# It cannot go on.


def test_a_run_whose_data_have_changed_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("x,y\n" + "".join(f"{n},{n % 3}\n" for n in range(50)))
    run = stopped(tmp_path, f"data.source={data}", "data.target=y", epoch=1)
    journal = run.journal_path.read_bytes()
    with data.open("a") as file:
        file.write("50,1\n" * 10)

    with pytest.raises(RunError, match=r"found 48 training and 12 .*; allowed: .*40 and 10"):
        resume(run)
    assert run.journal_path.read_bytes() == journal


def test_a_run_that_never_began_has_nothing_to_go_on_from(tmp_path: Path) -> None:
    run = create_run(tmp_path, Settings())
    with pytest.raises(RunError, match="found no start in its journal"):
        resume_here(run, (), lambda _: lambda _: None)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    run, other = stopped(tmp_path), stopped(tmp_path, "model.hidden=4")
    (run.path / "last.pt").write_bytes((other.path / "last.pt").read_bytes())

    with pytest.raises(CheckpointError, match=r"last\.pt: found a state that does not fit: .*size"):
        resume(run)


# Its files.


@pytest.mark.parametrize("how", [damage, lambda path: path.write_bytes(b"")])
def test_a_damaged_last_checkpoint_is_said_and_the_one_before_is_taken(
    how: Callable[[Path], None], tmp_path: Path, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_at_every_ask(monkeypatch)
    run = stopped(tmp_path)
    how(run.path / "last.pt")

    resume(run)

    assert resumed_record(run).message == "restored last.previous.pt"
    assert [f"{run.path / 'last.pt'}: found" in text for text in warnings_of(run)] == [True]
    assert_same(run, whole)


def test_without_a_checkpoint_that_can_be_read_it_begins_again_and_says_so(
    tmp_path: Path, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_at_every_ask(monkeypatch)
    run = stopped(tmp_path)
    for name in ("last.pt", "last.previous.pt"):
        damage(run.path / name)

    resume(run)

    assert "restored the start" in resumed_record(run).message
    assert ["last.pt: " in text for text in warnings_of(run)] == [True, False]
    assert_same(run, whole)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, whole: Run) -> None:
    marker = tmp_path / "marker"

    class Marks:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (marker,)

    run = stopped(tmp_path)
    content = load_checkpoint(run.path / "last.pt")
    write_unchecked({**content, "extra": Marks()}, run.path / "last.pt")

    resume(run)

    assert not marker.exists()
    assert "found code or objects, none of which was run" in warnings_of(run)[0]
    assert_same(run, whole)


def test_a_damaged_last_checkpoint_does_not_take_the_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_at_every_ask(monkeypatch)
    run = stopped(tmp_path)
    damage(run.path / "last.pt")
    good = (run.path / "last.previous.pt").read_bytes()

    kept: list[bytes] = []

    def look(event: Event) -> None:
        if isinstance(event, CheckpointSaved) and event.kind == "last":
            kept.append((run.path / "last.previous.pt").read_bytes())

    resume_here(run, (), lambda _run: look)

    assert kept[0] == good
    assert kept[1] != good


def test_a_damaged_best_checkpoint_is_said_and_written_anew(tmp_path: Path, whole: Run) -> None:
    run = stopped(tmp_path)
    damage(run.path / "best.pt")

    resume(run)

    assert [f"{run.path / 'best.pt'}: found" in text for text in warnings_of(run)] == [True]
    assert_same(run, whole)


def test_a_better_one_is_kept_when_a_run_goes_on_from_before_it(tmp_path: Path) -> None:
    run = train(tmp_path)
    better = checkpoint(run, "best.pt")
    for name in ("last.pt", "last.previous.pt"):
        (run.path / name).unlink(missing_ok=True)

    resume(run, "optim.lr=0.0001")

    assert checkpoint(run, "best.previous.pt") == better
    worse = load_checkpoint(run.path / "best.pt")
    assert worse["val_loss"] > load_checkpoint(run.path / "best.previous.pt")["val_loss"]
    assert worse["epoch"] == endings(run)[-1].best_epoch
