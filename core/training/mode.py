"""Which layers of a model train."""

from torch import nn

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class TrainingMode:
    """Puts a model into training mode, but for the layers kept in evaluation mode on purpose.

    These are the ones that are in evaluation mode now, within a model that is not: frozen batch
    normalisation, say.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        modules = list(model.modules())
        self._frozen = [module for module in modules if model.training and not module.training]
        trained = set(modules) - set(self._frozen)
        self.has_batch_norm = any(isinstance(module, _BATCH_NORMS) for module in trained)

    def set(self) -> None:
        """Put the model into training mode."""
        self._model.train()
        for module in self._frozen:
            module.training = False
