"""From a run's journal to what a screen shows of it."""
