"""The help, made from the tables of keys."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ..keys import COMPARISON_KEYS, CURVE_MOUSE, KEY_GROUPS, KEYS_OF_WIDGETS, Key, spell

_SECTIONS = (
    (
        "What the curve shows",
        "Two lines: the train loss of each epoch, measured while the weights moved, and the "
        "validation loss, measured after it. The legend names the line and the sign of each. The "
        "train loss of an epoch stands half an epoch early: it is an average over the steps of the "
        "epoch, so it tells of the weights half-way through it, while the validation loss tells of "
        "those at its end. Drawn at the same place, a model that learns would look worse on the "
        "training data than it is.",
    ),
    (
        "What the marks mean",
        "The diamond (O without colours) is the best epoch, the one whose weights are kept. A loss "
        "that was not finite is marked where it came and named above the curve; values that were "
        "clipped, or that a logarithmic axis cannot show, are marked at the edge and counted. In "
        "the event log + is good news, ! wants a look, x is bad.",
    ),
    (
        "When it stops early",
        "Early stopping ends the run when so many epochs in a row as its patience brought no "
        "validation loss below the one to beat. The bar beside it empties as patience runs out.",
    ),
    (
        "The run and this screen",
        "The run is a process of its own and this screen only reads its journal: closing the "
        "terminal, a dropped connection and ctrl+z end or stop the screen and not the run. To see "
        "it again: epochtop watch. Theme, view and bell are remembered; ctrl+p finds the commands "
        "that change and reset them.",
    ),
)


class HelpScreen(ModalScreen[None]):
    """Every key and what it does."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        VerticalScroll {
            width: 78; max-width: 100%; height: auto; max-height: 100%;
            border: round $accent; background: $surface; padding: 0 1;
            /* on demand it would come and go for ever where there is one column */
            overflow-y: scroll; scrollbar-size-vertical: 1;
        }
        Static { height: auto; }
        .section { text-style: bold underline; margin: 1 0 0 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close")
    ]

    def compose(self) -> ComposeResult:
        """The keys by what they are about, then what the picture means."""
        with VerticalScroll() as panel:
            panel.border_title = "Help (escape closes it, arrow keys scroll)"
            for about, keys in KEY_GROUPS:
                yield from _section(about, _table(_of_keys(keys)))
            yield from _section("The curve, with the mouse", _table(CURVE_MOUSE))
            yield from _section("Runs compared", _table(_of_keys(COMPARISON_KEYS)))
            yield from _section("Fields and choices", _table(KEYS_OF_WIDGETS))
            for about, text in _SECTIONS:
                yield from _section(about, Text(text))


def _section(about: str, content: Text | Table) -> ComposeResult:
    yield Static(about, classes="section", markup=False)
    yield Static(content)


def _of_keys(keys: Iterable[Key]) -> Iterable[tuple[str, str]]:
    return ((spell(key), key.help) for key in keys)


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", min_width=14)
    table.add_column()
    for keys, does in rows:
        table.add_row(keys, does)
    return table
