"""The help, made from the table of keys."""

from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ..keys import KEYS, KEYS_OF_WIDGETS, spell

_ABOUT = """\
The blue line is the train loss of each epoch, measured while the weights move; the orange one is \
the validation loss after it; the diamond marks the best epoch. Early stopping ends the run when \
so many epochs as its patience in a row brought no improvement.

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
        #about { margin: 1 0 0 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close")
    ]

    def compose(self) -> ComposeResult:
        """The keys, then what the picture means."""
        with VerticalScroll() as panel:
            panel.border_title = "Help (escape closes it)"
            yield Static(_key_table())
            yield Static(_ABOUT, id="about", markup=False)


def _key_table() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for key in KEYS:
        table.add_row(spell(key), key.help)
    for keys, does in KEYS_OF_WIDGETS:
        table.add_row(keys, does)
    return table
