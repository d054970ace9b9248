"""Dropout whose random numbers cost little on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def dropout(inputs: Tensor, probability: float, training: bool) -> Tensor:
    """Zero each element with `probability` in training, and scale the others to keep the mean (Srivastava et al. 2014).

    On a CPU torch draws a double for every element in turn, and a small model notices. Here 16 bits decide:
    the probability is exact to 1/65,536. Elsewhere this is torch's own dropout. Shapes are free.
    """
    if not training or probability == 0.0:
        return inputs
    if inputs.device.type != "cpu":
        return functional.dropout(inputs, probability)
    # The lower bound asks for all 64 bits; without it the sign bit would always be 0.
    draws = torch.empty((inputs.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    numbers = draws.view(torch.int16)[: inputs.numel()].view(inputs.shape)
    kept = numbers >= round(probability * 2**16) - 2**15
    return inputs * kept.to(inputs.dtype).mul_(1.0 / (1.0 - probability))
