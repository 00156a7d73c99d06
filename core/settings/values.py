"""A setting's value as a person writes it: to text, from text, and what is allowed in words."""

import unicodedata

from msgspec import inspect

from ..wording import one_of

# What a setting that may be None is called when it is; people also type the others.
OFF = "off"
_OFF_TYPED = (OFF, "none", "")


def split_kind(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    """Split what a setting is when it is something from whether it may also be nothing."""
    kind = _bare(kind)
    if not isinstance(kind, inspect.UnionType):
        return kind, False
    something = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
    return _bare(something[0]), len(something) < len(kind.types)


def value_text(value: object) -> str:
    """Write a value as a person would type it."""
    if value is None:
        return OFF
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, str) and value != _unquoted(value.strip()):
        return f'"{value}"'
    return str(value)


def value_from_text(text: str, kind: inspect.Type, *, optional: bool) -> object:
    """What a person typed, with or without TOML's quotes and brackets; not checked yet."""
    text = text.strip()
    if optional and text.lower() in _OFF_TYPED:
        return None
    if isinstance(kind, inspect.StrType | inspect.LiteralType):
        return _unquoted(text)
    if isinstance(kind, inspect.FloatType):
        return _float_or_text(text)
    if isinstance(kind, inspect.VarTupleType) and not text.startswith("["):
        text = f"[{text}]"
    import tomllib  # only who types or reads values needs it

    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # no TOML; too many digits or brackets to read
        return text
    return parsed["value"] if len(parsed) == 1 else text


def allowed_text(kind: inspect.Type, *, optional: bool = False) -> str:
    """The values of a kind, in words."""
    return f"{_described(_bare(kind))}, or {OFF}" if optional else _described(_bare(kind))


def is_plain(text: str) -> bool:
    """False for control characters, and for what Python makes of bytes that are not UTF-8."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _bare(kind: inspect.Type) -> inspect.Type:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return kind


def _described(kind: inspect.Type) -> str:  # noqa: PLR0911 - a case a kind of setting
    match kind:
        case inspect.LiteralType(values=values):
            return one_of(str(value) for value in values)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() as bounds:
            return "a whole number" + _bounds(bounds)
        case inspect.FloatType() as bounds:
            return "a number" + _bounds(bounds)
        case inspect.VarTupleType(item_type=item):
            return f"a list of at least one item, each {allowed_text(item)}, such as 64, 64"
        case inspect.StrType(pattern=str()):
            return "auto, cpu, cuda, cuda:1 (any index) or mps"
        case inspect.StrType(min_length=int()):
            return "text, not empty"
        case _:
            return "text"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    words = {"gt": "greater than", "ge": "of at least", "lt": "less than", "le": "of at most"}
    said = [
        f"{words[name]} {bound:g}" if abs(bound) < 1e5 else f"{words[name]} {bound}"
        for name in words
        if (bound := getattr(kind, name)) is not None
    ]
    if kind.ge is not None and kind.le is not None:
        return f" from {kind.ge} to {kind.le}"
    return f" {' and '.join(said)}" if said else ""


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _float_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
