"""Every key, declared once: the bindings, the footer and the help follow from this table."""

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Key:
    """What a letter does, and the function key for the same, which acts within a field, too."""

    keys: str
    action: str
    label: str
    help: str
    shown: bool = True


KEYS = (
    Key("s,f5", "start", "Start", "Start a run with the settings of the form."),
    Key("x,f8", "stop", "Stop", "Stop the live run after its epoch."),
    Key("X,f9", "stop_now", "Stop now", "Stop the live run at its next step.", shown=False),
    Key("p,f6", "pause", "Pause", "Let the live run stand still, or go on."),
    Key("c,f7", "checkpoint", "Checkpoint", "Write the live run's checkpoints now.", shown=False),
    Key("r,f12", "resume", "Resume", "Go on with a run that has ended, from its checkpoint."),
    Key("e,f2", "edit", "Settings", "Go to the settings; escape leaves them."),
    Key("n", "new_run", "New run", "Go to the settings to start a run as this one.", shown=False),
    Key("ctrl+o", "load_settings", "Load", "Load settings from a TOML file.", shown=False),
    Key("ctrl+s", "save_settings", "Save", "Save the settings as a TOML file.", shown=False),
    Key("v,f3", "curve", "Curve", "Go to the loss curve.", shown=False),
    Key("l,f4", "log", "Log", "Go to the event log; the arrow keys scroll it."),
    Key("question_mark,f1", "help", "Help", "Show this help."),
    Key("q,f10", "quit", "Quit", "Leave; a live run asks whether it shall go on."),
    Key("ctrl+q,ctrl+c", "quit", "Quit", "The same.", shown=False),
    Key("escape", "leave_field", "Back", "Leave a field, close a choice.", shown=False),
)

# What Textual's own widgets bind, for the help.
KEYS_OF_WIDGETS = (
    ("tab, up, down", "Go to the next field, the previous one; shift+tab as up."),
    ("enter, space", "Fold a section, open a choice, press a button, tick a box."),
    ("enter in a field", "Offer paths, columns; in a live run: apply what was typed."),
    ("tab, right", "Take what is offered while one types."),
    ("ctrl+p", "Find a command by its name."),
)


def app_bindings() -> list[BindingType]:
    """The keys as Textual binds them."""
    return [
        Binding(key.keys, key.action, key.label, show=key.shown, tooltip=key.help) for key in KEYS
    ]


def spell(key: Key) -> str:
    """A key's names as people read them."""
    return ", ".join("?" if name == "question_mark" else name for name in key.keys.split(","))
