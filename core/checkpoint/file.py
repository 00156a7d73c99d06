"""One checkpoint on the disk: written so that the old one goes only when the new one holds.

torch writes a zip archive with a checksum (CRC-32) for every part but never compares them when
it loads: a flipped bit in a weight is loaded in silence, and one in the archive's directory can
make it load memory that nobody has written. Here a checksum of the whole file, in the archive's
comment, is compared after writing and before reading. What a file carries beside tensors and
plain types is refused, never run.
"""

import os
import pickle
import shutil
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from ..errors import CheckpointError

FORMAT = 3
_ALLOWED = "a whole checkpoint of this program"
_NO_COMMENT = b"\0\0"  # what an archive ends with: the length of its comment
_CHUNK_BYTES = 1 << 20


def save_atomically(content: dict[str, Any], path: Path, keep: Path | None = None) -> None:
    """Write a checkpoint so that `path` holds the old one or the whole new one at any moment.

    Args:
        content: tensors and plain types.
        path: where it goes.
        keep: where the one before goes.

    A file that `load_checkpoint` would refuse is never written over a good one, nor kept in the
    place of one: a damaged `path` is not worth its place at `keep`.

    Raises:
        CheckpointError: what was read back is not what was written, or the content holds more
            than tensors and plain types; the old file stays.
        OSError, RuntimeError: the disk is full or cannot be written; the old file stays.
    """
    unfinished = _beside(path)
    try:
        with unfinished.open("wb") as file:
            summed = _SummedFile(file)
            torch.save(content, cast("BinaryIO", summed))  # torch writes and flushes, no more
            file.seek(-len(_NO_COMMENT), os.SEEK_END)
            file.write(_comment(summed.checksum))
            file.flush()
            os.fsync(file.fileno())
        load_checkpoint(unfinished, only_to_check=True)
        if keep is not None and _is_good(path):
            _link_over(path, keep)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def load_checkpoint(path: Path, *, only_to_check: bool = False) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, without ever running code that it may carry.

    Its `model` is a state dict, `epoch` and `step` say when it was taken, `settings` is TOML.

    Args:
        path: the file.
        only_to_check: leave the tensors in the file, to find out whether it can be loaded.

    Raises:
        CheckpointError: the file is not there, damaged, cut short, or holds more than tensors and
            plain types.
    """
    check_sum(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=only_to_check)
    except pickle.UnpicklingError:
        found = "code or objects, none of which was run"
        raise CheckpointError(f"{path}: found {found}; allowed: tensors and plain types") from None
    except Exception as error:  # noqa: BLE001 - torch raises of every kind on damage
        raise CheckpointError(f"{path}: found {error}; allowed: {_ALLOWED}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = f"format {content.get('format')}" if isinstance(content, dict) else "no checkpoint"
        raise CheckpointError(f"{path}: found {found}; allowed: format {FORMAT}")
    return content


def check_sum(path: Path) -> None:
    """Compare a checkpoint with its checksum.

    Raises:
        CheckpointError: it differs, or there is none.
    """
    try:
        with path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size - len(_comment(0))
            checksum = 0
            while left > 0 and (data := file.read(min(left, _CHUNK_BYTES))):
                checksum = zlib.crc32(data, checksum)
                left -= len(data)
            comment = file.read()
    except FileNotFoundError:
        raise CheckpointError(f"{path}: not found; allowed: {_ALLOWED}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None
    if comment != _comment(zlib.crc32(_NO_COMMENT, checksum)):
        raise CheckpointError(f"{path}: found damage, a wrong checksum; allowed: {_ALLOWED}")


class _SummedFile:
    """A file that torch writes into, and the checksum of what it was given."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.checksum = 0

    def write(self, data: bytes) -> int:
        """Write and add up."""
        self.checksum = zlib.crc32(data, self.checksum)
        return self._file.write(data)

    def flush(self) -> None:
        """Do what torch expects of a file."""
        self._file.flush()


def _comment(checksum: int) -> bytes:
    """An archive's comment that holds the checksum of the archive without it, and its length."""
    text = b"epochtop crc32 %08x" % checksum
    return len(text).to_bytes(2, "little") + text


def not_finite(state: Mapping[str, Any]) -> list[str]:
    """The names of a model's tensors in which some number is not finite."""
    tensors = ((name, value) for name, value in state.items() if isinstance(value, Tensor))
    return [name for name, tensor in tensors if not bool(torch.isfinite(tensor).all())]


def on_cpu(value: Any) -> Any:
    """The same nested value with its tensors on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, dict):
        moved = OrderedDict((key, on_cpu(item)) for key, item in value.items())
        vars(moved).update(getattr(value, "__dict__", {}))  # a state dict's versions of its layers
        return moved if isinstance(value, OrderedDict) else dict(moved)
    if type(value) in (list, tuple):
        return type(value)(on_cpu(item) for item in value)
    return value


def _is_good(path: Path) -> bool:
    try:
        load_checkpoint(path, only_to_check=True)
    except CheckpointError:
        return False
    return True


def _link_over(path: Path, keep: Path) -> None:
    """Give a file a second name, which another file may have had, without a moment of neither."""
    link = _beside(keep)
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:  # a file system without links
        shutil.copyfile(path, link)
    link.replace(keep)
    link.unlink(missing_ok=True)  # to rename one name of a file to another of the same is nothing


def _beside(path: Path) -> Path:
    """Where a file is written first; always the same name, so that kills leave no heap of them."""
    return path.with_name(f".{path.name}.tmp")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
