"""Runs side by side: what is told of each, and the table of it."""
