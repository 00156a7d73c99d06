"""Keys, one after the other.

Textual hands a key to the widget that has the focus the moment it comes, and acts on a binding
only when the key has bubbled up to the app. What is typed ahead (or comes in one piece over a
slow line) is then handled out of order: letters after `e` go to where the focus was before, and
a backspace deletes what was typed after it. Here a key waits until the one before it is done.
"""

import asyncio
from typing import TypeVar

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

T = TypeVar("T")

# A widget that goes away while it handles a key never answers; the next key shall not wait long.
_LONGEST_WAIT_SECONDS = 0.5


class KeysInOrder(App[T]):
    """An app whose keys and pastes are handled in the order in which they were typed."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: asyncio.Queue[events.Event] = asyncio.Queue()
        self._typist: asyncio.Task[None] | None = None
        self._num_typed_ahead = 0

    @property
    def is_typed_ahead(self) -> bool:
        """Whether a key is not yet done with."""
        return self._num_typed_ahead > 0

    async def on_event(self, event: events.Event) -> None:
        """Queue what was typed; everything else goes its usual way."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._num_typed_ahead += 1
            self._typed.put_nowait(event)
            self._typist = self._typist or asyncio.create_task(self._handle_typed())
        else:
            await super().on_event(event)

    async def _handle_typed(self) -> None:
        while self.is_running:
            event = await self._typed.get()
            target = self.focused or self.screen
            try:
                await super().on_event(event)
            except Exception as error:  # noqa: BLE001 - as Textual does with an error in its own loop
                self._handle_exception(error)
                return
            for pump in (*target.ancestors_with_self, self):
                await _handled_all(pump)
            self._num_typed_ahead -= 1

    async def on_unmount(self) -> None:
        """Let no key be handled after the end."""
        if self._typist is not None:
            self._typist.cancel()


async def _handled_all(pump: MessagePump) -> None:
    """Wait until a widget has handled the messages that it has now."""
    done = asyncio.Event()
    if not pump.call_later(done.set):
        return
    try:
        await asyncio.wait_for(done.wait(), _LONGEST_WAIT_SECONDS)
    except TimeoutError:
        return
