"""Where the noise of training, such as dropout, gets its random numbers from."""

from __future__ import annotations

import torch


def seed_noise(seed: int, device: torch.device) -> None:
    """Let torch's generators for the CPU and for `device` begin anew from `seed`.

    Done before every batch, it makes a batch's noise the same wherever the batch comes in an update or a process.
    torch.manual_seed would visit the generators of every kind of device there is, a hundred times as slowly.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
