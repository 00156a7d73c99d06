"""Every key, declared once: the bindings, the footer and the help follow from this table."""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """What a key does. Letters are typed into a field that has the focus; the others always act."""

    keys: str
    action: str
    label: str
    help: str
    shown: bool = True

    def binding(self) -> Binding:
        """The key as Textual binds it."""
        return Binding(self.keys, self.action, self.label, show=self.shown, tooltip=self.help)


KEYS = (
    Key("s,f5", "start", "Start", "Start a run with the settings of the form."),
    Key("x,f8", "stop('epoch')", "Stop", "Stop the live run after its epoch."),
    Key("X,f9", "stop('now')", "Stop now", "Stop the live run at its next step.", shown=False),
    Key("e,f2", "edit", "Settings", "Go to the settings; escape leaves them."),
    Key("c,f3", "show_pane('curve')", "Curve", "Go to the loss curve.", shown=False),
    Key("l,f4", "show_pane('log')", "Log", "Go to the event log; the arrow keys scroll it."),
    Key("question_mark,f1", "help", "Help", "Show this help."),
    Key("q,f10", "quit", "Quit", "Leave; a live run asks whether it shall go on."),
    Key("ctrl+q,ctrl+c", "quit", "Quit", "The same, from within a field, too.", shown=False),
    Key("escape", "leave_field", "Back", "Leave a field of the settings.", shown=False),
)

# What the widgets bind by themselves, for the help.
KEYS_OF_WIDGETS = (
    ("tab, shift+tab", "The next and the previous field."),
    ("enter, space", "Open a choice, press a button, tick a box."),
    ("ctrl+p", "Every command, by name."),
)


def spell(keys: str) -> str:
    """The names of a binding's keys as people read them."""
    return ", ".join("?" if key == "question_mark" else key for key in keys.split(","))
