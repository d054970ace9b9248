"""Tensors by formula."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor


@pytest.fixture(scope="session")
def sines() -> Callable[..., Tensor]:
    """A function that makes a float64 tensor whose k-th number is scale * sin(k * k)."""

    def make(*shape: int, start: int = 1, scale: float = 1.0) -> Tensor:
        count = torch.Size(shape).numel()
        numbers = torch.arange(start, start + count, dtype=torch.float64)
        return (scale * torch.sin(numbers * numbers)).view(shape)

    return make
