"""The loss curve's pane."""

from rich.text import Text
from textual.reactive import reactive
from textual.strip import Strip

from ...core.run.status import RunStatus
from .. import wording
from ..event_wording import event_text
from ..state import RunState
from .painted import Painted, text_strip, text_strips

_WIDTH_FOR_WORDS = 56


class LossCurve(Painted, can_focus=True):
    """Draws the train and validation losses of a run, its best epoch marked."""

    DEFAULT_CSS = """
    LossCurve {
        border: round $panel-lighten-2;
        border-title-color: $foreground;
        &:focus { border: round $accent; }
    }
    """

    state: reactive[RunState] = reactive(RunState, layout=False, repaint=False)
    status: reactive[RunStatus | None] = reactive[RunStatus | None](None, repaint=False)

    def watch_state(self) -> None:
        """Draw the new state."""
        self.repaint()

    watch_status = watch_state

    @property
    def title(self) -> Text:
        """The legend and the newest values."""
        bad = self.state.not_finite
        title = Text.from_markup(_title(self.state, self.size.width))
        return title.append(f"  {event_text(bad)}", "bold red") if bad else title

    def paint(self, width: int, height: int) -> list[Strip]:
        """The picture, or a sentence when there is nothing to draw or no room to draw it."""
        if not len(self.state.history):
            return text_strips(Text(_nothing_yet(self.status)), width)
        from .. import plot  # plotext and the drawing wait for the first epoch

        if width < plot.MIN_WIDTH or height < plot.MIN_HEIGHT + 1:
            return text_strips(Text("\n".join(_numbers(self.state))), width)
        picture = text_strips(self._picture(width, height - 1), width)
        return [text_strip(self.title, width), *picture]

    def _picture(self, width: int, height: int) -> Text:
        from .. import curve, plot

        stopping = self.state.stopping
        frame = curve.build_frame(
            self.state.history,
            best_epoch=stopping.lowest_epoch if stopping else None,
            width=width,
            height=height,
        )
        if frame is None:
            return Text()
        return Text.from_ansi(plot.draw(frame, plot.COLOURED), no_wrap=True, end="")


def _title(state: RunState, width: int) -> str:
    """The legend with the last epoch's values; in Textual's markup, of our own words only."""
    if state.last_epoch is None:
        return "Loss"
    last = state.last_epoch
    words = ("train ", "val ", "best ") if width >= _WIDTH_FOR_WORDS else ("", "", "")
    train = f"[#56b4e9]──[/] {words[0]}{wording.loss_text(last.train_loss)}"
    val = f"[#e69f00]──[/] {words[1]}{wording.loss_text(last.val_loss)}"
    if last.stopping.lowest_loss is None:
        return f"{train}  {val}"
    best = f"◆ {words[2]}{wording.loss_text(last.stopping.lowest_loss)}"
    return f"{train}  {val}  {best} at {last.stopping.lowest_epoch}"


def _nothing_yet(status: RunStatus | None) -> str:
    if status is None:
        return (
            "\nNo run yet.\n\nPress s to start one with the settings of the form, e to edit them."
        )
    if status.is_live:
        return "\nThe engine is loading torch and the data ..."
    return "\nThe run ended before its first epoch was complete; the event log says why."


def _numbers(state: RunState) -> list[str]:
    """What matters of the curve where there is no room for one."""
    last = state.last_epoch
    if last is None:
        return []
    return [
        f"epoch {last.epoch} train {wording.loss_text(last.train_loss)}",
        f"val {wording.loss_text(last.val_loss)}",
        f"best {wording.loss_text(last.stopping.lowest_loss)} at {last.stopping.lowest_epoch}",
    ]
