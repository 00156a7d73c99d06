"""The help, made from the table of keys."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ..keys import CURVE_KEYS, CURVE_MOUSE, KEYS, KEYS_OF_WIDGETS, spell

_ABOUT = """\
The blue line is the train loss, a mean over each epoch while the weights move: it is drawn half \
an epoch early, where it was measured. The orange one is the validation loss after the epoch; the \
diamond marks the best. Early stopping ends the run when so many epochs as its patience in a row \
brought no improvement; the rule on the x axis is that window.

The run is a process of its own: this screen only reads its journal. Closing the terminal ends \
the screen and not the run; `epochtop watch` shows it again."""


class HelpScreen(ModalScreen[None]):
    """Every key and what it does."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        VerticalScroll {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $accent; background: $surface; padding: 0 1;
        }
        Static { height: auto; }
        Static.about { margin: 1 0 0 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close")
    ]

    def compose(self) -> ComposeResult:
        """The keys, then what the picture means."""
        with VerticalScroll() as panel:
            panel.border_title = "Help (escape closes it)"
            yield Static(_key_table(_all_keys()))
            yield Static(_ABOUT, classes="about", markup=False)
            yield Static("In the curve:", classes="about", markup=False)
            yield Static(_key_table(_curve_keys()))


def _all_keys() -> list[tuple[str, str]]:
    return [*((spell(key), key.help) for key in KEYS), *KEYS_OF_WIDGETS]


def _curve_keys() -> list[tuple[str, str]]:
    return [*((spell(key), key.help) for key in CURVE_KEYS), *CURVE_MOUSE]


def _key_table(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for keys, does in rows:
        table.add_row(keys, does)
    return table
