"""A split as batches: rows in memory, or what a loader loads."""
