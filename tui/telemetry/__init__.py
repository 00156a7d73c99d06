"""What the machine does while a run trains."""
