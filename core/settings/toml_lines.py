"""Where in a TOML file a setting is written; a parser does not say."""

import re


def line_of(path: str, text: str) -> int | None:
    """The line of a section or of a dotted key, None when it is written in a way not known here.

    Args:
        path: such as `train`, `train.epochs`, or a key above all sections.
        text: the whole file.
    """
    section, _, key = path.partition(".")
    current = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
            current = header[1]
            if path == current:
                return number
        elif re.match(_assignment(key if current else path), line) and current in ("", section):
            return number
    return None


def _assignment(key: str) -> str:
    return rf"\s*[\"']?{re.escape(key)}[\"']?\s*="
