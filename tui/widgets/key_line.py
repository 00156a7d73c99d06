"""The footer: the keys that do something now, as many as there is room for."""

from collections.abc import Iterator

import msgspec
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip

from ..keys import KEYS, Stage, spell_name
from .painted import Painted, text_strip

_GAP = "  "
# What is shown however narrow the terminal is.
_ALWAYS = ("help", "quit")
_STAGES = {key.action: key.stages for key in KEYS}


class _Hint(msgspec.Struct, frozen=True):
    """A key in the footer; `key` is what is pressed when somebody clicks it."""

    key: str
    label: str
    action: str

    @property
    def text(self) -> Text:
        return Text.assemble((spell_name(self.key), "bold"), " ", self.label)


class KeyLine(Painted):
    """Shows the bindings of what has the focus, and of the app; a click presses the key.

    Textual's own footer builds its widgets anew, and has them all sent, whenever the focus moves.
    """

    DEFAULT_CSS = """
    KeyLine { dock: bottom; height: 1; width: 1fr; padding: 0 1; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._stage: Stage = "none"
        self._hints: list[_Hint] = []

    def on_mount(self) -> None:
        """Follow the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def show_stage(self, stage: Stage) -> None:
        """Show what can be done with a run that stands so."""
        if stage != self._stage:
            self._stage = stage
            self.repaint()

    def paint(self, width: int, height: int) -> list[Strip]:
        """The keys in the order of their table, and at any width those for help and the end."""
        del height
        self._hints = list(_that_fit(list(self._all_hints()), width))
        return [text_strip(Text(_GAP).join(hint.text for hint in self._hints), width)]

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        left = 0
        for hint in self._hints:
            if left <= offset.x < left + hint.text.cell_len:
                self.app.simulate_key(hint.key)
            left += hint.text.cell_len + len(_GAP)

    def _bindings_updated(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.repaint()

    def _all_hints(self) -> Iterator[_Hint]:
        told = set()
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            matters = self._stage in _STAGES.get(binding.action, (self._stage,))
            if binding.show and enabled and matters and binding.action not in told:
                told.add(binding.action)
                yield _Hint(binding.key, self._label(binding), binding.action)

    def _label(self, binding: Binding) -> str:
        paused = binding.action == "pause" and self._stage == "paused"
        return "Go on" if paused else binding.description


def _that_fit(hints: list[_Hint], width: int) -> Iterator[_Hint]:
    left = width - sum(_width(hint) for hint in hints if hint.action in _ALWAYS) + len(_GAP)
    for hint in hints:
        if hint.action in _ALWAYS:
            yield hint
        elif _width(hint) <= left:
            left -= _width(hint)
            yield hint


def _width(hint: _Hint) -> int:
    return hint.text.cell_len + len(_GAP)
