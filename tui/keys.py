"""Every key, declared once: bindings, footer, help and command palette follow from these tables."""

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

# How a run stands, as far as it decides what a key can do.
Stage = Literal["none", "live", "paused", "ended"]
_STAGES: tuple[Stage, ...] = ("none", "live", "paused", "ended")


@dataclass(frozen=True)
class Key:
    """What a letter does, and the function key for the same, which acts within a field, too.

    Attributes:
        keys: as Textual calls them, the first one for the footer.
        action: of the app, or of the pane that has the focus.
        label: a word or two for the footer and the command palette.
        help: a sentence.
        shown: in the footer, where there is room.
        stages: of a run in which the key does something; at others the log says why not.
    """

    keys: str
    action: str
    label: str
    help: str
    shown: bool = True
    stages: tuple[Stage, ...] = _STAGES


_LIVE: tuple[Stage, ...] = ("live", "paused")
_NOT_LIVE: tuple[Stage, ...] = ("none", "ended")

RUN_KEYS = (
    Key("s,f5", "start", "Start", "Start a run with the settings of the form.", stages=_NOT_LIVE),
    Key("x,f8", "stop", "Stop", "Stop the live run after its epoch.", stages=_LIVE),
    Key("X,f9", "stop_now", "Stop now", "Stop the live run at its next step.", False, _LIVE),
    Key("p,f6", "pause", "Pause", "Let the live run stand still, or go on.", stages=_LIVE),
    Key("c,f7", "checkpoint", "Checkpoint", "Write the live run's checkpoints now.", False, _LIVE),
    Key(
        *("r,f12", "resume", "Resume"),
        help="Go on with a run that has ended, from its checkpoint.",
        stages=("ended",),
    ),
)

SCREEN_KEYS = (
    Key("e,f2", "edit", "Settings", "Go to the settings; escape leaves them."),
    Key("v,f3", "curve", "Curve", "Go to the loss curve.", shown=False),
    Key("l,f4", "log", "Log", "Go to the event log; the arrow keys scroll it."),
    Key("z", "maximise", "Maximise", "Give the pane in focus the whole screen, or no longer."),
    Key("ctrl+p", "command_palette", "Commands", "Find a command by its name."),
    Key("question_mark,f1", "help", "Help", "Show this help."),
    Key("q,f10", "quit", "Quit", "Leave; a live run asks whether it shall go on."),
    Key("ctrl+q,ctrl+c", "quit", "Quit", "The same.", shown=False),
    Key("escape", "leave_field", "Back", "Leave a field, close a choice.", shown=False),
    Key("ctrl+z", "suspend_process", "Suspend", "Back to the shell; fg shows it again.", False),
)

KEYS = (*RUN_KEYS, *SCREEN_KEYS)

# For the help and the command palette: what a group of keys is about, and the keys.
KEY_GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("The run", RUN_KEYS),
    ("The screen", SCREEN_KEYS),
)

# What Textual's own widgets bind, for the help.
KEYS_OF_WIDGETS = (
    ("tab, shift+tab", "Go to the next and the previous field."),
    ("enter, space", "Open a choice, press a button, tick a box."),
)


def app_bindings() -> list[BindingType]:
    """The keys as Textual binds them."""
    return [
        Binding(key.keys, key.action, key.label, show=key.shown, tooltip=key.help) for key in KEYS
    ]


def spell(key: Key) -> str:
    """A key's names as people read them."""
    return ", ".join(spell_name(name) for name in key.keys.split(","))


def spell_name(name: str) -> str:
    """One of Textual's names of keys as people read it."""
    return _SPELLED.get(name, name)


_SPELLED = {
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "comma": ",",
    "full_stop": ".",
}
