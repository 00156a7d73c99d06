"""`epochtop whatif`: a recorded run through other stopping rules."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from ...core.run.directory import Run
from ...core.settings.declaration import StoppingSettings
from ...core.settings.fields import setting_field
from ...core.stopping.whatif import Outcome, usual_rules, varied
from ..following.replay import Replay, replay
from ..following.state import RunState
from ..words.whatif import rule_name, sentences, table_lines
from ..words.wrapping import wrapped
from . import output
from .printing import curve_text

_WIDTH = 100
# Each option that names rules: what it sets.
_RULES = {"patience": "patience", "gl": "alpha", "pq": "alpha", "up": "strips"}


def whatif(run: Run, state: RunState, said: Mapping[str, Sequence[str]], *, as_json: bool) -> int:
    """Print what other rules would have made of a run.

    Args:
        run: what is replayed.
        state: the run as far as its journal tells.
        said: the option's values as they were typed, by `patience`, `gl`, `pq`, `up`,
            `min_delta` and `min_epochs`.
        as_json: print one JSON object.

    Raises:
        SettingsError: a value is none, or out of bounds.
    """
    found = replay(state, chooser(said))
    if as_json:
        document = msgspec.json.encode(as_plain_types(run, found))
        output.write_json(msgspec.json.format(document, indent=2))
        return 0
    output.write_line(f"run {run.path}")
    _print(state, found)
    return 0


def chooser(
    said: Mapping[str, Sequence[str]],
) -> Callable[[StoppingSettings | None], list[StoppingSettings]]:
    """What makes the rules that a command line asks for from the run's own."""
    values = {name: parsed(_RULES.get(name, name), texts) for name, texts in said.items()}

    def choose(own: StoppingSettings | None) -> list[StoppingSettings]:
        base = own or StoppingSettings()
        named = [
            replace(base, rule=rule, **{key: value})
            for rule, key in _RULES.items()
            for value in values[rule]
        ]
        return varied(named or usual_rules(own), values["min_delta"], values["min_epochs"])

    return choose


def parsed(key: str, texts: Iterable[str]) -> list[Any]:
    """The values of a setting of early stopping, of which a text may hold several."""
    field = setting_field(f"stopping.{key}")
    return [field.parse(part.strip()) for text in texts for part in text.split(",")]


def as_plain_types(run: Run, replayed: Replay) -> dict[str, Any]:
    """All that was found, for scripts; `null` is what the recording cannot tell."""
    found = replayed.found
    return {
        "run": run.name,
        "path": str(run.path),
        "epochs": found.num_epochs,
        "last_epoch": found.last_epoch,
        "best_loss": found.best_loss,
        "best_epoch": found.best_epoch,
        "has_all_epochs": found.has_all_epochs,
        "numbered_anew": found.is_numbered_anew,
        "rules": [_outcome(replayed, each) for each in found.outcomes],
        "best_rule": None if found.best is None else found.outcomes.index(found.best),
    }


def _outcome(replayed: Replay, outcome: Outcome) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(outcome)
    if outcome.stop_epoch is None and not replayed.found.has_all_epochs:
        plain["epochs_saved"] = None
    return {"name": rule_name(outcome.rule), "own": replayed.is_own(outcome), **plain}


def _print(state: RunState, found: Replay) -> None:
    from ..curve.marks import Marks

    best = found.found.best_epoch
    marks = Marks(best_epoch=best, best_loss=found.found.best_loss, would_stop=found.stops)
    if curve := curve_text(state, marks):
        output.write_ansi(f"\n{curve}\n")
    width = min(shutil.get_terminal_size((_WIDTH, 0)).columns, _WIDTH)
    if found.found.num_epochs:
        for line in table_lines(found, width):
            output.write_line(line)
        output.write_line()
    for sentence in sentences(found):
        for line in wrapped(sentence, width, ""):
            output.write_line(line)
