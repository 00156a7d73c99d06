"""The optimiser's step and the learning rate."""
