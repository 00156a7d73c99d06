"""A checkpoint is the old one or the whole new one, and nothing damaged is ever loaded."""

import errno
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from epochtop.core.checkpoint.file import (
    FORMAT,
    check_sum,
    load_checkpoint,
    not_finite,
    on_cpu,
    save_atomically,
)
from epochtop.core.errors import CheckpointError

from .disks import files_of_at_most
from .interruptions import comparable
from .resumptions import write_unchecked


def content_of(number: int = 0, rows: int = 6) -> dict[str, Any]:
    """A checkpoint with something of all that one holds."""
    generator = torch.Generator().manual_seed(number)
    weights = {"0.weight": torch.randn(rows, 5, generator=generator), "0.count": torch.tensor(3)}
    return {
        "format": FORMAT,
        "epoch": number,
        "val_loss": 0.1 * number,
        "settings": '[train]\nepochs = 3\ntask = "Grüße"\n',
        "model": weights,
        "state": {"random": (3, (1, 2**32), None), "best": None, "progress": {"seconds": 0.5}},
    }


def content_at(path: Path) -> Any:
    return comparable(load_checkpoint(path))


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_what_was_saved_is_loaded_to_the_last_bit(tmp_path: Path) -> None:
    save_atomically(content_of(1), tmp_path / "last.pt")

    assert content_at(tmp_path / "last.pt") == comparable(content_of(1))
    assert files_in(tmp_path) == ["last.pt"]


def test_the_one_before_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    path, keep = tmp_path / "last.pt", tmp_path / "last.previous.pt"
    for number in range(3):
        save_atomically(content_of(number), path, keep)

    assert (load_checkpoint(path)["epoch"], load_checkpoint(keep)["epoch"]) == (2, 1)
    assert files_in(tmp_path) == ["last.previous.pt", "last.pt"]


def test_the_one_before_is_kept_on_a_file_system_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path, keep = tmp_path / "last.pt", tmp_path / "last.previous.pt"
    for number in range(3):
        save_atomically(content_of(number), path, keep)

    assert (load_checkpoint(path)["epoch"], load_checkpoint(keep)["epoch"]) == (2, 1)


def test_an_engine_killed_just_after_it_kept_the_one_before_leaves_no_heap(tmp_path: Path) -> None:
    path, keep = tmp_path / "last.pt", tmp_path / "last.previous.pt"
    save_atomically(content_of(1), path)
    os.link(path, keep)  # where the kill came: both names are of the same file
    (tmp_path / ".last.pt.tmp").write_bytes(b"the beginning of")

    save_atomically(content_of(2), path, keep)

    assert (load_checkpoint(path)["epoch"], load_checkpoint(keep)["epoch"]) == (2, 1)
    assert files_in(tmp_path) == ["last.previous.pt", "last.pt"]


def assert_the_old_one_stays(directory: Path, *errors: type[Exception]) -> None:
    """Save over a checkpoint what cannot be saved."""
    path, keep = directory / "last.pt", directory / "last.previous.pt"
    before = path.read_bytes()
    with pytest.raises(errors):
        save_atomically(content_of(2, rows=4000), path, keep)
    assert path.read_bytes() == before
    assert files_in(directory) == ["last.pt"]


def test_a_full_disk_leaves_the_old_one(tmp_path: Path) -> None:
    save_atomically(content_of(1), tmp_path / "last.pt")
    with files_of_at_most(20_000):
        assert_the_old_one_stays(tmp_path, OSError, RuntimeError)


def test_a_disk_that_is_full_only_when_it_is_synced_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    save_atomically(content_of(1), tmp_path / "last.pt")
    monkeypatch.setattr(os, "fsync", refuse)
    assert_the_old_one_stays(tmp_path, OSError)


def test_what_reads_back_damaged_does_not_replace_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damage(file: int) -> None:
        os.pwrite(file, b"damaged!", 3000)

    save_atomically(content_of(1), tmp_path / "last.pt")
    monkeypatch.setattr(os, "fsync", damage)
    assert_the_old_one_stays(tmp_path, CheckpointError)


def test_a_flipped_bit_anywhere_is_found(tmp_path: Path) -> None:
    """torch alone loads most of them in silence."""
    path = tmp_path / "best.pt"
    save_atomically(content_of(1), path)
    num_bits = 8 * path.stat().st_size

    for bit in random.Random(0).sample(range(num_bits), 300):  # noqa: S311
        flip(path, bit)
        with pytest.raises(CheckpointError, match=r"best\.pt: found damage"):
            load_checkpoint(path)
        flip(path, bit)

    assert content_at(path) == comparable(content_of(1))


def test_a_flipped_bit_in_a_weight_is_found(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    save_atomically(content_of(1), path)
    weight = content_of(1)["model"]["0.weight"].numpy().tobytes()

    flip(path, 8 * path.read_bytes().index(weight) + 30)

    with pytest.raises(CheckpointError, match=r"best\.pt: found damage, a wrong checksum"):
        load_checkpoint(path)


def test_a_file_cut_short_anywhere_is_found(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save_atomically(content_of(1), path)
    whole = path.read_bytes()

    for size in [0, 1, 22, *range(50, len(whole), 50), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match=r"last\.pt: found damage"):
            load_checkpoint(path)


class Marks:
    """Writes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._marker}",)


def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path: Path) -> None:
    path, marker = tmp_path / "last.pt", tmp_path / "marker"
    write_unchecked(content_of(1) | {"extra": Marks(marker)}, path)

    with pytest.raises(CheckpointError, match=r"last\.pt: found code .* none of which was run"):
        load_checkpoint(path)

    assert not marker.exists()
    pickle.loads(pickle.dumps(Marks(marker)))  # noqa: S301 - what would have happened
    assert marker.exists()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"format": 1, "model": {}}, "format 1"),
        ({"model": {}}, "format None"),
        (torch.ones(2), "no checkpoint"),
        ([], "no checkpoint"),
        (Path("x"), "code or objects"),
    ],
)
def test_what_is_no_checkpoint_of_this_version_is_said(
    tmp_path: Path, content: Any, found: str
) -> None:
    write_unchecked(content, tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match=rf"best\.pt: found {found}.*; allowed: "):
        load_checkpoint(tmp_path / "best.pt")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_of_another_program_is_refused_before_it_is_unpickled(
    tmp_path: Path, zipped: bool
) -> None:
    content = {"format": FORMAT, "model": {}, "extra": Marks(tmp_path / "marker")}
    torch.save(content, tmp_path / "best.pt", _use_new_zipfile_serialization=zipped)

    with pytest.raises(CheckpointError, match="a wrong checksum"):
        load_checkpoint(tmp_path / "best.pt")
    assert not (tmp_path / "marker").exists()


def test_torch_itself_can_load_a_checkpoint(tmp_path: Path) -> None:
    save_atomically(content_of(1), tmp_path / "best.pt")
    loaded = torch.load(tmp_path / "best.pt", weights_only=True)
    assert comparable(loaded) == comparable(content_of(1))
    assert zipfile.ZipFile(tmp_path / "best.pt").testzip() is None


@pytest.mark.parametrize("name", ["missing.pt", "."])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match=r"not found|cannot be read"):
        check_sum(tmp_path / name)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_what_is_no_number_is_named(bad: float) -> None:
    state = {
        "a": torch.ones(3),
        "count": torch.tensor(2),
        "b": torch.tensor([1.0, bad]),
        "extra": {"anything": bad},
    }
    assert not_finite(state) == ["b"]


def test_numbers_of_every_kind_are_numbers() -> None:
    kinds = [torch.float64, torch.bfloat16, torch.int8, torch.bool, torch.complex64]
    assert not not_finite({str(kind): torch.ones(2).to(kind) for kind in kinds})


def test_what_could_not_be_loaded_again_does_not_replace_what_can(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    save_atomically(content_of(1), path)
    with pytest.raises(CheckpointError, match="found code or objects, none of which was run"):
        save_atomically(content_of(2) | {"extra": Path()}, path)

    assert content_at(path) == comparable(content_of(1))
    assert files_in(tmp_path) == ["best.pt"]


@pytest.mark.parametrize("hurt", [lambda path: flip(path, 999), lambda path: path.write_bytes(b"")])
def test_a_damaged_file_does_not_take_the_place_of_a_good_one(
    tmp_path: Path, hurt: Callable[[Path], None]
) -> None:
    path, keep = tmp_path / "last.pt", tmp_path / "last.previous.pt"
    for number in (1, 2):
        save_atomically(content_of(number), path, keep)
    hurt(path)

    save_atomically(content_of(3), path, keep)

    assert (load_checkpoint(path)["epoch"], load_checkpoint(keep)["epoch"]) == (3, 1)


def test_nested_tensors_are_moved_and_all_else_stays() -> None:
    nested = {"a": [torch.ones(1, requires_grad=True), (2, None, "x")], "b": {"c": 1.5}}
    moved = on_cpu(nested)
    assert comparable(moved) == comparable(nested)
    assert not moved["a"][0].requires_grad
