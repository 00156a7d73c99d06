"""What other stopping rules would have done with the run on the screen: curve, table, sentences."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rich.text import Text
from textual.message import Message
from textual.strip import Strip

from ..following.replay import Replay, replay
from ..following.state import RunState
from ..look.palette import DARK, Palette, Role
from ..look.view import View
from ..words.whatif import sentences, table_lines
from ..words.wrapping import wrapped
from .painted import Painted, text_strip
from .role_strips import role_strip

if TYPE_CHECKING:
    from ..curve.frame import Frame
    from ..curve.marks import Marks

# So many are replayed between two frames; more take a thread.
_FEW_EPOCHS = 2_000
# A long run that goes on is replayed again after so many times the time that it took.
_REST = 10
# The curve is no lower than that where there is room for it, and the text is scrolled.
_LEAST_CURVE, _HEIGHT_FOR_CURVE = 9, 16


class WhatIfPane(Painted, can_focus=True):
    """Replays a run as far as it is there and draws what was found."""

    DEFAULT_CSS = """
    WhatIfPane { width: 1fr; height: 1fr; border: round $accent; background: $surface; }
    """

    class Replayed(Message):
        """A long run has been replayed."""

        def __init__(self, replayed: Replay, state: RunState, seconds: float) -> None:
            super().__init__()
            self.replayed = replayed
            self.state = state
            self.seconds = seconds

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "What if"
        self.border_subtitle = "escape closes, arrow keys scroll"
        self._palette = DARK
        self._drawn: tuple[Replay, RunState] | None = None
        self._asked: RunState | None = None
        self._loading: float | None = None
        self._is_busy = False
        self._rests_until = 0.0
        self._offset = 0

    def show(self, state: RunState, palette: Palette) -> None:
        """Replay a state unless it was; while a long one is being replayed the next waits."""
        self._palette = palette
        if state.loading is not None:  # a part of a run would be judged as if it were all of it
            self._loading, self._drawn, self._asked = state.loading, None, None
            self.repaint()
            return
        rests = self._is_busy or time.monotonic() < self._rests_until
        if rests or (self._asked is not None and _is_same(state, self._asked)):
            return
        self._loading, self._asked = None, state
        if len(state.history) <= _FEW_EPOCHS:
            self._draw(replay(state), state)
            return
        self._is_busy = True
        # a daemon: leaving the app waits for no replay
        threading.Thread(target=self._replay, args=(state,), daemon=True).start()

    def scroll_text(self, lines: int) -> None:
        """Move the text by so many lines."""
        self._offset = max(0, self._offset + lines)
        self.repaint()

    def on_what_if_pane_replayed(self, message: Replayed) -> None:
        """Draw what the thread has found."""
        self._is_busy = False
        self._rests_until = time.monotonic() + _REST * message.seconds
        self._draw(message.replayed, message.state)

    def paint(self, width: int, height: int) -> list[Strip]:
        """The curve as high as the text leaves it, and the text as far as there is room."""
        if self._drawn is None:
            waits = "Replaying the recorded epochs ..."
            if self._loading is not None:
                waits = f"The journal is being read: {self._loading:.0%}"
            return [text_strip(Text(waits), width)]
        replayed, state = self._drawn
        text = _text_lines(replayed, width)
        room = height - len(text)
        if height >= _HEIGHT_FOR_CURVE:
            room = max(room, _LEAST_CURVE)
        curve = self._curve(replayed, state, (width, room))
        below = height - len(curve)
        self._offset = min(self._offset, max(0, len(text) - below))
        shown = text[self._offset : self._offset + below]
        return [*curve, *(text_strip(line, width) for line in shown)]

    def _curve(self, replayed: Replay, state: RunState, size: tuple[int, int]) -> list[Strip]:
        from ..curve import plot
        from ..curve.frame import build_frame
        from ..curve.marks import Marks

        if size[0] < plot.MIN_WIDTH or size[1] < plot.MIN_HEIGHT:
            return []
        found = replayed.found
        marks = Marks(
            best_epoch=found.best_epoch,
            best_loss=found.best_loss,
            not_finite=state.not_finite,
            would_stop=replayed.stops,
        )
        has_legend = size[1] >= _LEAST_CURVE
        frame = build_frame(state.history, marks, View(), (size[0], size[1] - has_legend))
        if frame is None:
            return []
        rows = [_over(frame, marks, self._palette, size[0])] if has_legend else []
        rows += plot.draw(frame, self._palette).rows()
        return [role_strip(row, self._palette) for row in rows]

    def _replay(self, state: RunState) -> None:
        began = time.monotonic()
        replayed = replay(state)
        self.post_message(self.Replayed(replayed, state, time.monotonic() - began))

    def _draw(self, replayed: Replay, state: RunState) -> None:
        self._drawn = replayed, state
        self.repaint()


def _over(frame: Frame, marks: Marks, palette: Palette, width: int) -> list[tuple[str, Role]]:
    """What the lines and the letters are, after what the picture leaves out if room is short."""
    from ..curve.caveats import fitting_caveats
    from ..curve.legend import first_line
    from ..curve.legend import wrapped as side_by_side

    legend = _legend(palette)
    room = width - sum(len(text) for text, _ in first_line([*legend, [("", "text")]], width))
    caveats = fitting_caveats(frame, marks, View(), palette, room)
    has_room = len(side_by_side([*legend, *caveats], width)) == 1
    return first_line([*legend, *caveats] if has_room else [*caveats, *legend], width)


def _legend(palette: Palette) -> list[list[tuple[str, Role]]]:
    return [
        [(palette.sample("train"), "train"), (" train loss", "text")],
        [(palette.sample("val"), "val"), (" validation loss", "text")],
        [("a", "best"), (" where rule a stops", "text")],
    ]


def _text_lines(replayed: Replay, width: int) -> list[Text]:
    """The table, where there are epochs, and the sentences."""
    told = [
        Text(row) for sentence in sentences(replayed) for row in wrapped(sentence, width, indent="")
    ]
    if not replayed.found.num_epochs:
        return told
    head, *rows = table_lines(replayed, width)
    return [Text(head, "bold"), *map(Text, rows), Text(), *told]


def _is_same(state: RunState, before: RunState) -> bool:
    """Whether nothing has changed that a replay tells of."""
    return (state.history, state.changed, state.finished) == (
        before.history,
        before.changed,
        before.finished,
    )
