"""Whether looking at a value makes the host wait for the device."""

from __future__ import annotations

import torch
from torch import Tensor


def looking_waits(device: torch.device) -> bool:
    """Return False on the CPU. Elsewhere steps are queued, and the queue runs empty whenever a value is looked at."""
    return device.type != "cpu"


def any_true(values: Tensor) -> bool:
    """Whether any of bool `values` is true; the host waits for their device.

    On the CPU this is much faster than an operator and its result's item.
    """
    return bool(values.numpy().any()) if values.device.type == "cpu" else bool(values.any())
