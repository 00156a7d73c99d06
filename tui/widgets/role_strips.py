"""Words with their roles as a line on the screen."""

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..look.palette import Palette, Role


def role_strip(line: Sequence[tuple[str, Role]], palette: Palette) -> Strip:
    """One line in a palette's colours, without the detour of a Text: there are many."""
    return Strip([Segment(part, _style(palette.colour(role), role)) for part, role in line])


@lru_cache(maxsize=256)
def _style(colour: str | None, role: Role) -> Style:
    return Style(color=colour, bold=True if role in ("bad", "best") else None)
