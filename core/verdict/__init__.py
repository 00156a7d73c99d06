"""What two loss curves say of a model: over-, underfitting and the rest, and how sure that is."""
