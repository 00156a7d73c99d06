"""Checkpoints: atomic, verified, safe to load."""
