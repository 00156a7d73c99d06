"""The process that trains a run: settings in, journal and checkpoints out."""
