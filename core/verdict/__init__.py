"""What two loss curves say of a model: over-, underfitting and the rest, and how sure that is."""

# Fewer epochs tell nothing. It stands here, where asking for it loads no numpy.
FEWEST_EPOCHS = 6
