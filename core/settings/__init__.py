"""The settings of a run: declared once, read from TOML and text, checked against each other."""
