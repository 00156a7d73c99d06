"""A run's directory: its journal, who trains it, and commands to whoever does."""
