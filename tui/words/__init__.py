"""What is said, and how: numbers, events, early stopping, the log."""
