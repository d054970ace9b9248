"""Dropout whose random numbers cost little on a CPU, and its variants over time.

All take the probability of a zero and whether the model trains; outside training, and with probability 0, they return
their input itself.
"""

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


def dropout_mask(like: Tensor, shape: tuple[int, ...], probability: float) -> Tensor:
    """A factor of `shape` that is 0 with `probability` and 1 / (1 - probability) otherwise; dtype, device as `like`."""
    return dropout(like.new_ones(shape), probability, True)


def variational_dropout(inputs: Tensor, probability: float, training: bool) -> Tensor:
    """Dropout of `inputs` [batch, len, width] with one mask per sequence, the same at all positions.

    Gal and Ghahramani 2016; the other numbers are scaled to keep the mean.
    """
    if not training or probability == 0.0:
        return inputs
    return inputs * dropout_mask(inputs, (inputs.shape[0], 1, inputs.shape[2]), probability)


def word_dropout(embedded: Tensor, probability: float, training: bool) -> Tensor:
    """Zero all of a position of `embedded` [..., embed] with `probability` in training; the others stay as they are.

    Each position decides alone, as in Sennrich et al. 2016 (Edinburgh's systems for WMT 16); Gal and Ghahramani 2016
    drop word types. Kept words are not scaled: a zero vector stands for a word nobody saw, and the layers above should
    see the others as they do in evaluation.
    """
    if not training or probability == 0.0:
        return embedded
    kept = torch.rand(embedded.shape[:-1], device=embedded.device) >= probability
    return embedded * kept.unsqueeze(-1).to(embedded.dtype)


def dropconnect(weights: Tensor, probability: float, training: bool) -> Tensor:
    """Dropout of the elements of a matrix of weights (Wan et al. 2013; Merity et al. 2018)."""
    return dropout(weights, probability, training)
