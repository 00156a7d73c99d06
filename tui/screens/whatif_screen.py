"""What other stopping rules would have done, over the panes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from ..widgets.whatif_pane import WhatIfPane

if TYPE_CHECKING:
    from ..widgets.loss_curve import LossCurve

_SECONDS_BETWEEN_REPLAYS = 1.0
_PAGE = 10


class WhatIfScreen(ModalScreen[None]):
    """Replays the run that the curve shows, again as it goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w", "dismiss", "Close"),
        Binding("down,j", "scroll_text(1)", show=False),
        Binding("up,k", "scroll_text(-1)", show=False),
        Binding("pagedown,space", f"scroll_text({_PAGE})", show=False),
        Binding("pageup", f"scroll_text(-{_PAGE})", show=False),
    ]

    def __init__(self, curve: LossCurve) -> None:
        super().__init__()
        self._curve = curve

    def compose(self) -> ComposeResult:
        """One pane, as large as the terminal."""
        yield WhatIfPane()

    def on_mount(self) -> None:
        """Replay what is there, and from now on what comes."""
        self._replay()
        self.set_interval(_SECONDS_BETWEEN_REPLAYS, self._replay)

    def action_scroll_text(self, lines: int) -> None:
        """Move the text under the curve."""
        self.query_one(WhatIfPane).scroll_text(lines)

    def _replay(self) -> None:
        self.query_one(WhatIfPane).show(self._curve.state, self._curve.palette)
