"""What the outside asks of a training, between two steps: signals, and commands in files.

A signal handler only sets a flag. Looking for commands is a system call, so that is done ten
times a second at most; each is acted on at once, within a long epoch too.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import SettingsError
from ..events import Event, Paused, Resumed, StopRequested, StopWhen, Warned
from ..run.control import Change, Command, Pause, SaveCheckpoint, Stop, Unpause, take_commands
from ..run.directory import Run
from ..training.interrupt import Interrupt
from ..training.setting_changes import check_live
from .signals import SignalFlag

if TYPE_CHECKING:
    from ..checkpoint.checkpoints import Checkpoints
    from ..training.trainer import Trainer

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_LOOKS_PAUSED = 0.05


class LiveControl:
    """Asked between steps whether the run shall end; does the rest of what is asked by itself.

    `attach` tells it what it controls; before that it only listens to signals. `looked_at` is when
    it was last asked.
    """

    def __init__(self, run: Run, flag: SignalFlag, on_event: Callable[[Event], None]) -> None:
        self._run = run
        self._flag = flag
        self._on_event = on_event
        self._trainer: Trainer | None = None
        self._checkpoints: Checkpoints | None = None
        self._stop: StopWhen | None = None
        self._is_paused = False
        self._next_look = 0.0
        self.looked_at = time.monotonic()

    def attach(self, trainer: "Trainer", checkpoints: "Checkpoints") -> None:
        """Say whom the commands are for."""
        self._trainer = trainer
        self._checkpoints = checkpoints

    def __call__(self) -> Interrupt | None:
        """What the trainer shall do, None to go on."""
        if self._flag.received is not None:
            return Interrupt("now", "interrupted", f"ended by {self._flag.received.name}")
        self.looked_at = now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _SECONDS_BETWEEN_LOOKS
            if not self._run.path.exists():
                return Interrupt("now", "failed", "the run's directory is gone")
            self._take_commands()
            if self._is_paused:
                return self._stand_still()
            if self._checkpoints is not None:
                self._checkpoints.write_if_due()
        return self._wish_to_stop()

    def take_leftover_changes(self, before: float) -> None:
        """Carry out the changes that a killed engine was asked for; what else it was is void.

        Args:
            before: the Unix time since when commands are meant for this engine.
        """
        for command in take_commands(self._run, before=before):
            if isinstance(command, Change):
                self._obey(command)
            else:
                name = command if isinstance(command, str) else type(command).__name__
                self._warn(f"dropped a request from before the run was resumed: {name}")

    def _wish_to_stop(self) -> Interrupt | None:
        if self._stop is None:
            return None
        return Interrupt(self._stop, "stopped", "stopped on request")

    def _take_commands(self) -> None:
        for command in take_commands(self._run):
            if isinstance(command, str):
                self._warn(command)
            else:
                self._obey(command)

    def _obey(self, command: Command) -> None:
        trainer = self._trainer
        match command:
            case Stop(when=when):
                self._is_paused = False
                if self._stop != "now":
                    self._stop = when
                self._on_event(StopRequested(when=when))
            case _ if trainer is None:
                self._warn(f"not training yet; dropped: {type(command).__name__}")
            case Pause():
                self._is_paused = True
                self._on_event(Paused(epoch=trainer.epoch, step=trainer.step))
                if self._checkpoints is not None:  # a pause may be long
                    self._checkpoints.write_now()
            case Unpause():
                self._is_paused = False
                self._on_event(Resumed(epoch=trainer.epoch, step=trainer.step))
            case SaveCheckpoint() if trainer.step == 0:
                self._warn("no checkpoint was written: there is no step yet to keep")
            case SaveCheckpoint() if self._checkpoints is not None:
                self._checkpoints.write_now("request")
            case Change(setting=setting, value=value):
                self._change(trainer, setting, value)
            case _:
                pass

    def _change(self, trainer: "Trainer", setting: str, value: object) -> None:
        try:
            trainer.change(setting, check_live(setting, value), "request")
        except SettingsError as error:
            self._warn(f"not changed: {error}")

    def _stand_still(self) -> Interrupt | None:
        """Wait until somebody wants the training to go on, or to end."""
        began = time.perf_counter()
        while self._is_paused and self._flag.received is None and self._run.path.exists():
            time.sleep(_SECONDS_BETWEEN_LOOKS_PAUSED)
            self.looked_at = time.monotonic()
            self._take_commands()
        if self._trainer is not None:
            self._trainer.paused_seconds += time.perf_counter() - began
        return self()

    def _warn(self, message: str) -> None:
        self._on_event(Warned(message=message))
