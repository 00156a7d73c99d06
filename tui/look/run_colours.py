"""What tells runs apart in one picture: a hue each, its train loss dimmer; or a digit and a letter.

The first two differ in lightness and along the axis from blue to yellow, which the colour-blind
see as well; neither is the blue of train nor the orange of validation.
"""

from typing import Literal, get_args

ValRole = Literal["run_1", "run_2", "run_3", "run_4", "run_5", "run_6", "run_7", "run_8"]
TrainRole = Literal[
    "run_1_train",
    "run_2_train",
    "run_3_train",
    "run_4_train",
    "run_5_train",
    "run_6_train",
    "run_7_train",
    "run_8_train",
]
RunRole = Literal[ValRole, TrainRole]
VAL_ROLES: tuple[ValRole, ...] = get_args(ValRole)
TRAIN_ROLES: tuple[TrainRole, ...] = get_args(TrainRole)

RUN_LETTERS: dict[RunRole, str] = {
    **dict(zip(VAL_ROLES, "12345678", strict=True)),
    **dict(zip(TRAIN_ROLES, "abcdefgh", strict=True)),
}

_HUES = {
    "dark": "f0e442 a78bfa 2fbf8f ff8787 56b4e9 e69f00 e38fc0 d0d0d0",
    "light": "8a6d00 5b3fc4 00694c c00000 0068a8 b35c00 a03a77 4a4a4a",
}
_BACKGROUNDS = {"dark": 0x12, "light": 0xFF}
# So much of a hue is left in the line of the train loss.
_DIMMED = 0.6


def colours_on(background: Literal["dark", "light"]) -> dict[RunRole, str]:
    """The colours of all runs' lines."""
    hues = _HUES[background].split()
    colours: dict[RunRole, str] = {}
    for val, train, hue in zip(VAL_ROLES, TRAIN_ROLES, hues, strict=True):
        colours |= {val: f"#{hue}", train: _dimmed(hue, _BACKGROUNDS[background])}
    return colours


def _dimmed(hue: str, background: int) -> str:
    parts = (int(hue[at : at + 2], 16) for at in (0, 2, 4))
    mixed = (round(_DIMMED * part + (1 - _DIMMED) * background) for part in parts)
    return "#" + "".join(f"{part:02x}" for part in mixed)
