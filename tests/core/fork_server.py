"""Starts engines by forking itself: torch is loaded once, and each engine is there at once.

It reads a request a line from stdin, as JSON, and answers each with a line:

    {"start": [arguments of the engine], "log": file, "patches": {"module.name": value}} -> its pid
    {"poll": pid} -> the exit code, negative for a signal; null as long as it runs

When stdin ends it kills what is left.
"""

import json
import os
import signal
import sys
import traceback
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

codes: dict[int, int] = {}
running: set[int] = set()


def serve() -> None:
    """Answer requests until there are no more."""
    load_what_engines_need()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def load_what_engines_need() -> None:
    """Load torch, also what it loads only when it makes its first optimiser."""
    import torch

    import_module("epochtop.core.engine.preparation")
    torch.optim.SGD([torch.zeros(1)], lr=1.0)


def answer(request: dict[str, Any]) -> int | None:
    """Do what is asked for."""
    if "start" in request:
        return start(request["start"], request["log"], request["patches"])
    return code_of(request["poll"])


def start(arguments: list[str], log: str, patches: dict[str, Any]) -> int:
    """Fork an engine."""
    pid = os.fork()
    if pid == 0:
        become_engine(arguments, log, patches)
    running.add(pid)
    return pid


def code_of(pid: int) -> int | None:
    """How an engine ended."""
    if pid not in codes:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done == 0:
            return None
        codes[pid] = os.waitstatus_to_exitcode(status)
        running.discard(pid)
    return codes[pid]


def become_engine(arguments: list[str], log: str, patches: dict[str, Any]) -> NoReturn:
    """Be what `epochtop.core.engine.launch` would have started."""
    code = 1
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
            os.dup2(source, target)
        for name, value in patches.items():
            module, _, attribute = name.rpartition(".")
            setattr(import_module(module), attribute, value)
        sys.argv[1:] = arguments
        code = import_module("epochtop.core.engine.process").main()
    except BaseException:  # noqa: BLE001 - the log tells
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
    serve()
