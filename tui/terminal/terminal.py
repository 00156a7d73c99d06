"""What the terminal can show, told from the environment once, before the screen opens."""

import os
from collections.abc import Mapping, MutableMapping

import msgspec

# Terminals on which the cursor cannot be moved, so that there is no screen to draw.
_WITHOUT_SCREEN = ("", "dumb", "unknown")
# Consoles with a font of 256 or 512 glyphs, which has neither braille nor round corners.
_SMALL_FONTS = ("linux", "vt100", "vt102", "vt220")
_C_LOCALES = ("C", "POSIX")


class Terminal(msgspec.Struct, frozen=True):
    """How the screen may draw.

    Attributes:
        ascii: no character beyond ASCII.
        coloured: colours are shown and wanted.
        mouse: the mouse is reported to the screen; without it the terminal selects as ever.
    """

    ascii: bool = False
    coloured: bool = True
    mouse: bool = True


def look_at_terminal(
    environment: Mapping[str, str], encoding: str | None, *, ascii_said: bool | None, mouse: bool
) -> Terminal:
    """Decide how to draw.

    Args:
        environment: the process's own.
        encoding: of the stream that is drawn on.
        ascii_said: what the user asks for; None leaves it to the locale and the terminal.
        mouse: whether the user wants the mouse.
    """
    can_only_ascii = (
        environment.get("TERM", "") in _SMALL_FONTS
        or not _is_utf8(encoding or "utf-8")
        or not is_utf8_locale(environment)
    )
    return Terminal(
        ascii=can_only_ascii if ascii_said is None else ascii_said,
        coloured=not environment.get("NO_COLOR"),
        mouse=mouse,
    )


def distrust_inherited_colours(environment: MutableMapping[str, str]) -> None:
    """Forget a COLORTERM that was said of the terminal around GNU screen and not of that.

    It takes colours of 24 bits for other styles: white on yellow, or nothing one can read.
    TEXTUAL_COLOR_SYSTEM=truecolor is for those whose screen knows them.
    """
    if (
        "STY" in environment
        and "TMUX" not in environment
        and environment.get("TERM", "").startswith("screen")
    ):
        environment.pop("COLORTERM", None)


def is_utf8_locale(environment: Mapping[str, str]) -> bool:
    """Whether the locale says UTF-8, or says nothing.

    A container or a connection without a locale is most often looked at in a UTF-8 terminal, and
    Python takes it for one. A locale of `LANG=C` Python turns into `LC_CTYPE=C.UTF-8` by itself,
    which is then not what the user has said.
    """
    names = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if not names[0] and names[2] in _C_LOCALES and names[1].upper() in ("", "C.UTF-8"):
        return False
    said = next((name for name in names if name), None)
    return said is None or _is_utf8(said.partition(".")[2].partition("@")[0] or said)


def has_screen() -> bool:
    """Whether the terminal's cursor can be moved."""
    return os.environ.get("TERM", "") not in _WITHOUT_SCREEN


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig")
