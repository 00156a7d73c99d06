"""How messages about a user's own task are worded: what was found there, and what is allowed."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .errors import EpochtopError, SettingProblem, TaskError
from .wording import listed, spelled_out

MAX_CAUSE = 300


def task_error(where: str, found: str, allowed: str) -> TaskError:
    """An error that says where, what was found there and what is allowed."""
    return TaskError(str(SettingProblem(where, found, allowed)))


def cause(error: BaseException) -> str:
    """An error on one line; one that is not epochtop's own with its kind, and cut if it is long."""
    if isinstance(error, EpochtopError):
        return " ".join(str(error).split())
    kind, text = type(error).__name__, " ".join(str(error).split())
    text = spelled_out(f"{kind}: {text}" if text else kind)
    return text if len(text) <= MAX_CAUSE else text[: MAX_CAUSE - 1] + "…"


def described(value: Any) -> str:
    """What something is, in the words of a message."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    name = type(value).__name__
    text = f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
    if isinstance(value, Tensor):
        return f"{text} of shape {tuple(value.shape)}"
    if isinstance(value, Mapping):
        return f"{text} of {listed([str(key) for key in value])}" if value else f"an empty {name}"
    if isinstance(value, tuple | list):
        kinds = ", ".join(type(item).__name__ for item in value[:4]) + ", …" * (len(value) > 4)
        return f"{text} of {len(value)} ({kinds})" if value else f"an empty {name}"
    return text
