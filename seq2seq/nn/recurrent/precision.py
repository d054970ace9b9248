"""The precision in which a layer computes."""

from __future__ import annotations

import torch
from torch import Tensor

from seq2seq.nn.cells import CellState


def product_dtype(tensor: Tensor) -> torch.dtype:
    """The dtype of a product with `tensor`: that of autocast where it is on, else the tensor's own."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype


def state_to(state: CellState, dtype: torch.dtype) -> CellState:
    """The state in another dtype."""
    return CellState(state.h.to(dtype), None if state.c is None else state.c.to(dtype))
