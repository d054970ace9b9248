"""The exponentially smoothed weights that validation and translation can use instead of the last ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RunningMean:
    """Running mean of a network's parameters (Polyak averaging with decay, as Marian's exponential smoothing).

    The decay is at most (1+u)/(10+u) at update u, so that the first weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, *, decay: float) -> None:
        self.decay = decay
        self._names = [name for name, _ in model.named_parameters()]
        self._live = [parameter.detach() for parameter in model.parameters()]
        self._means = [parameter.clone() for parameter in self._live]

    def update(self, update: int, *, applied: Tensor | None = None) -> None:
        """Take the parameters after `update`, counted from 1, into the mean; not if `applied`, a scalar, is false."""
        decay = min(self.decay, (1 + update) / (10 + update))
        if applied is not None and applied.device.type == "cuda":
            # Decided on the device, where nobody waits for it. Parameters that were left alone are finite.
            weight = applied * (1.0 - decay)
            for mean, parameter in zip(self._means, self._live, strict=True):
                mean.lerp_(parameter, weight)
            return
        if applied is not None and not applied:
            return
        for mean, parameter in zip(self._means, self._live, strict=True):
            mean.lerp_(parameter, 1.0 - decay)

    def state(self) -> dict[str, Tensor]:
        """The means by parameter name."""
        return dict(zip(self._names, self._means, strict=True))

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore :meth:`state`."""
        for mean, name in zip(self._means, self._names, strict=True):
            mean.copy_(state[name])

    @torch.no_grad()
    def copy_to(self, model: nn.Module) -> None:
        """Write the means into the parameters of `model`, a copy of the network."""
        for parameter, mean in zip(model.parameters(), self._means, strict=True):
            parameter.copy_(mean)
