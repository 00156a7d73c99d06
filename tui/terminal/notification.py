"""A message that the terminal shows outside of the screen, in the sequence that it knows."""

from collections.abc import Mapping

_TITLE = "epochtop"


def notification(text: str, environment: Mapping[str, str]) -> str:
    """The escape sequence for a text without control characters; empty where none is known to work.

    OSC 777 where it is the only one (urxvt, foot, VTE), else OSC 9. Within tmux it goes through
    to the terminal when `allow-passthrough` is on.
    """
    terminal = environment.get("TERM", "")
    if terminal.startswith(("linux", "vt")):
        return ""
    if "VTE_VERSION" in environment or terminal.startswith(("rxvt", "foot")):
        sequence = f"\x1b]777;notify;{_TITLE};{text}\x07"
    else:
        sequence = f"\x1b]9;{_TITLE}: {text}\x07"
    if environment.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    return sequence
