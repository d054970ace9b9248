"""Random numbers that depend on what they are for, not on who asked before: so company and order change no sample."""

from __future__ import annotations

import torch
from torch import Tensor

# The constants of SplitMix64 (Steele, Lea and Flood 2014), as signed integers.
_GAMMA = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64


def uniform(*keys: int | Tensor) -> Tensor:
    """Numbers of [0, 1) in float32, one for every combination of `keys`, multiples of 2^-24.

    Args:
        keys: integers, and LongTensors whose shapes broadcast; at least one is a tensor. Each number is a hash of all
            of its keys, in their order, by the mixing function of SplitMix64.
    """
    mixed = next(torch.zeros_like(key) for key in keys if isinstance(key, Tensor))
    for key in keys:
        mixed = _mix(mixed ^ _mix(key + torch.zeros_like(mixed) + _GAMMA))
    return _shifted(mixed, 40).to(torch.float32) * 2.0**-24


def _mix(bits: Tensor) -> Tensor:
    """The finalizer of SplitMix64, on int64, whose products wrap around as unsigned ones do."""
    bits = (bits ^ _shifted(bits, 30)) * _FIRST
    bits = (bits ^ _shifted(bits, 27)) * _SECOND
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, by: int) -> Tensor:
    """`bits` shifted to the right, zeros from the left."""
    return (bits >> by) & ((1 << (64 - by)) - 1)
