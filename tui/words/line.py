"""A line of the event log."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["plain", "good", "warning", "bad"]


class Line(msgspec.Struct, frozen=True):
    """One line of the log; `time` in Unix seconds.

    A line with a `key` takes the place of the line before it that has the same one.
    """

    time: float
    text: str
    severity: Severity = "plain"
    key: str | None = None
