"""A user's Python file, imported by its path.

Its module is called `epochtop.core.task.file.NAME_DIGEST`: no installed module has such a name,
and a worker process of a `DataLoader` that starts from nothing (spawn, forkserver) can import
it. Whoever imports a submodule imports its package first; this module says that it is one, and
its finder looks for the file in the directories of `sys.path`, which a worker takes over.
"""

import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, TracebackType

__path__: list[str] = []


def import_file(path: Path) -> ModuleType:
    """Run a file as a module, anew each time.

    Its own directory becomes the last of `sys.path`: it can import the files beside it, and none
    of them, a `random.py` say, gets in the way of an installed module.

    Raises:
        BaseException: whatever the file raises.
    """
    path = path.resolve()
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = _spec_of(path)
    module = importlib.util.module_from_spec(spec)
    # before it runs: dataclasses, for one, look for the module of their class
    sys.modules[spec.name] = module
    try:
        _run(module, spec)
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    return module


def line_in(path: Path, error: BaseException) -> int | None:
    """The last line of a file on an error's way, None when the error comes from elsewhere."""
    file = str(path.resolve())
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    lines = [line for name, line in _frames(error.__traceback__) if name == file]
    return lines[-1] if lines else None


def module_name(path: Path) -> str:
    """The name of a file's module, the same in every process."""
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    stem = re.sub(r"\W", "_", path.stem)
    return f"{__name__}.{stem}_{digest}"


class _TaskFileFinder:
    """Finds a module of this package again, in another process."""

    @staticmethod
    def find_spec(
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG004 - what the import system calls it with
        target: ModuleType | None = None,  # noqa: ARG004
    ) -> ModuleSpec | None:
        """The spec of a module by name, None when it is none of ours or its file is gone."""
        if not name.startswith(f"{__name__}."):
            return None
        for directory in reversed(sys.path):
            for file in Path(directory).glob("*.py"):
                if module_name(file) == name:
                    return _spec_of(file)
        return None


sys.meta_path.append(_TaskFileFinder)


def _spec_of(path: Path) -> ModuleSpec:
    spec = importlib.util.spec_from_file_location(module_name(path), path)
    if spec is None:
        raise ImportError(f"{path} is no Python file")
    return spec


def _run(module: ModuleType, spec: ModuleSpec) -> None:
    if spec.loader is not None:
        spec.loader.exec_module(module)


def _frames(traceback: TracebackType | None) -> list[tuple[str, int]]:
    frames = []
    while traceback is not None:
        frames.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return frames
