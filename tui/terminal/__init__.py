"""The terminal: what it can show, its signals, what is sent to it."""
