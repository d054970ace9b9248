"""How the parameters of a cell come to be: gate by gate, each block of rows drawn by itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def empty(*shape: int) -> nn.Parameter:
    """A parameter whose numbers `reset_parameters` will draw."""
    return nn.Parameter(torch.empty(shape))


def orthogonal_by_gate(weights: Tensor, gates: int) -> None:
    """Draw each of the `gates` blocks of rows of `weights` [gates*rows, columns] orthogonal (Saxe et al. 2014)."""
    for gate in weights.data.chunk(gates):
        nn.init.orthogonal_(gate)


def xavier_by_gate(weights: Tensor, gates: int) -> None:
    """Draw each of the `gates` blocks of rows of `weights` [gates*rows, columns] Xavier-uniform (Glorot and Bengio)."""
    for gate in weights.data.chunk(gates):
        nn.init.xavier_uniform_(gate)
