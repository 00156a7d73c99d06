"""Draw the README's picture: train a run for real and let the app draw itself on it.

python docs/draw_screen.py docs/screen.svg
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from epochtop.core import Run, resolve_settings
from epochtop.core.engine.process import Outcome, train_here
from epochtop.tui.app import EpochtopApp
from epochtop.tui.widgets.loss_curve import LossCurve

COLUMNS, ROWS = 120, 36
# Two curves that part: the train loss falls on while the validation loss has seen its best.
SETTINGS = resolve_settings(
    overrides=["data.source=diabetes", "optim.lr=0.001", "stopping.patience=15"]
)


async def draw(run: Run) -> str:
    """The screen on a run, as SVG."""
    app = EpochtopApp(run.path.parent, run)
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        while app.screen.query_one(LossCurve).state.finished is None:
            await pilot.pause(0.1)
        await pilot.pause(0.5)
        return app.export_screenshot(title="epochtop watch")


def main() -> None:
    """Train, draw, write."""
    with tempfile.TemporaryDirectory() as runs:
        outcome = train_here(SETTINGS, Path(runs), None, lambda _: lambda _: None)
        if not isinstance(outcome, Outcome):
            sys.exit("interrupted")
        svg = asyncio.run(draw(outcome.run))
    Path(sys.argv[1]).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
