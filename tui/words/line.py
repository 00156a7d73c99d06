"""A line of the event log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["plain", "good", "warning", "bad"]


@dataclass(frozen=True)
class Line:
    """One line of the log; `time` in Unix seconds.

    A line with a `key` takes the place of the line before it that has the same one.
    """

    time: float
    text: str
    severity: Severity = "plain"
    key: str | None = None
