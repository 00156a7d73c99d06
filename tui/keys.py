"""Every key, declared once: bindings, footer, help and command palette follow from these tables."""

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec
from textual.binding import Binding, BindingType

# How a run stands, as far as it decides what a key can do. While a journal is being "read" for the
# first time nobody knows; a "foreign" run is live, but no engine trains it; of a "final" one the
# journal tells no start that an engine could go on from.
Stage = Literal["none", "reading", "live", "paused", "foreign", "ended", "final"]
_STAGES: tuple[Stage, ...] = get_args(Stage)


class Key(msgspec.Struct, frozen=True):
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
_NOT_LIVE: tuple[Stage, ...] = ("none", "foreign", "ended", "final")

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
    Key("n", "new_run", "New run", "Go to the settings to start a run as this one.", shown=False),
    Key("ctrl+o", "load_settings", "Load", "Load settings from a TOML file.", shown=False),
    Key("ctrl+s", "save_settings", "Save", "Save the settings as a TOML file.", shown=False),
    Key("v,f3", "curve", "Curve", "Go to the loss curve.", shown=False),
    Key("w", "what_if", "What if", "What other stopping rules would have done.", shown=False),
    Key("l,f4", "log", "Log", "Go to the event log; the arrow keys scroll it."),
    Key(
        *("k", "compare", "Compare"),
        help="Compare the run with another: curves, settings, results.",
        shown=False,
        stages=tuple(stage for stage in _STAGES if stage != "none"),
    ),
    Key("z,f11", "maximise", "Maximise", "Give the pane in focus the whole screen, or no longer."),
    Key("ctrl+p", "command_palette", "Commands", "Find a command by its name."),
    Key("question_mark,f1", "help", "Help", "Show this help."),
    Key("q,f10", "quit", "Quit", "Leave; a live run asks whether it shall go on."),
    Key("ctrl+q,ctrl+c", "quit", "Quit", "The same.", shown=False),
    Key("escape", "leave_field", "Back", "Leave a field, close a choice.", shown=False),
    Key("ctrl+z", "suspend_process", "Suspend", "Back to the shell; fg shows it again.", False),
)

KEYS = (*RUN_KEYS, *SCREEN_KEYS)

# They act while the curve has the focus.
CURVE_KEYS = (
    Key("y", "other_scale", "Log y", "Logarithmic y axis, and back.", shown=False),
    Key("t", "next_x_axis", "X axis", "x by epoch, by step, by training time.", shown=False),
    Key("plus,equals_sign", "zoom(1)", "Zoom in", "Zoom in, about the cursor.", shown=False),
    Key("minus", "zoom(-1)", "Zoom out", "Zoom out.", shown=False),
    Key("left", "move_cursor(-1)", "Left", "Cursor an epoch or a column back.", shown=False),
    Key("right", "move_cursor(1)", "Right", "Cursor an epoch or a column on.", shown=False),
    Key("home", "first_epoch", "First", "Cursor to the first epoch.", shown=False),
    Key("end", "last_epoch", "Last", "Cursor to the last epoch.", shown=False),
    Key("b", "best_epoch", "Best", "Cursor to the best epoch.", shown=False),
    Key("shift+left,comma", "pan(-1)", "Pan back", "Move the window back.", shown=False),
    Key("shift+right,full_stop", "pan(1)", "Pan on", "Move the window on.", shown=False),
    Key("escape", "hide_cursor", "Hide", "Hide the cursor.", shown=False),
    Key("f", "follow", "Follow", "Follow the tail.", shown=False),
    Key("a", "whole", "Whole", "Show the whole history.", shown=False),
    Key("left_square_bracket", "smooth(-1)", "Rougher", "Less smoothing.", shown=False),
    Key("right_square_bracket", "smooth(1)", "Smoother", "More smoothing.", shown=False),
    Key("o", "other_clipping", "Clip", "Outliers at the edge, or where they are.", shown=False),
    Key("1", "show('train_loss')", "Train", "Train loss, shown or hidden.", shown=False),
    Key("2", "show('val_loss')", "Val", "Validation loss.", shown=False),
    Key("3", "show('train_loss_eval')", "Eval", "Train loss in evaluation mode.", shown=False),
    Key("4", "show('penalty')", "Penalty", "Weight decay's penalty.", shown=False),
    Key("5", "show('train_plus_penalty')", "Sum", "Train loss plus penalty.", shown=False),
    Key("m", "next_right", "Metric", "Next series on the right-hand axis.", shown=False),
    Key("0", "reset", "Reset", "The view as it was at first.", shown=False),
)

# They act while runs are compared, and none of the others does.
COMPARISON_KEYS = (
    Key("escape,q", "dismiss", "Back", "Back to the run."),
    Key("k", "add_run", "Add a run", "Compare one more run, up to eight."),
    Key("y", "other_scale", "Log y", "Logarithmic y axis, and back."),
    Key("t", "next_x_axis", "X axis", "x by epoch, by step, by training time."),
    Key("o", "other_clipping", "Clip", "Outliers at the edge, or where they are."),
    Key("up", "move(-1)", "Up", "Scroll the table back.", shown=False),
    Key("down", "move(1)", "Down", "Scroll the table on.", shown=False),
    Key("pageup", "move(-8)", "Page up", "The same by several lines.", shown=False),
    Key("pagedown", "move(8)", "Page down", "The same by several lines.", shown=False),
    Key("ctrl+q,ctrl+c", "dismiss", "Back", "Back to the run, too.", shown=False),
)

# For the help and the command palette: what a group of keys is about, and the keys.
KEY_GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("The run", RUN_KEYS),
    ("The screen", SCREEN_KEYS),
    ("The curve", CURVE_KEYS),
)

# What the mouse does to the curve, for the help.
CURVE_MOUSE = (
    ("wheel, shift+wheel", "Zoom at the pointer; pan."),
    ("click, drag", "Set the cursor; pan."),
)

# What Textual's own widgets bind, for the help.
KEYS_OF_WIDGETS = (
    ("tab, up, down", "Go to the next field, the previous one; shift+tab as up."),
    ("enter, space", "Fold a section, open a choice, press a button, tick a box."),
    ("enter in a field", "Offer paths, columns; in a live run: apply what was typed."),
    ("tab, right", "Take what is offered while one types."),
)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Keys as Textual binds them."""
    return [
        Binding(key.keys, key.action, key.label, show=key.shown, tooltip=key.help) for key in keys
    ]


def app_bindings() -> list[BindingType]:
    """The app's own keys."""
    return bindings(KEYS)


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
