"""What cuDNN wants of the weights that a fused layer hands it, so that it takes its fast paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

#: The first cuDNN through which torch runs recurrent layers in bf16; with older ones torch takes a loop over time.
_BF16_SINCE = 91300
#: Tensor cores want the widths of fp16 and bf16 matrices in multiples of this.
ALIGNED = 8


def uses_cudnn(device: torch.device) -> bool:
    """Whether fused layers run in cuDNN on `device`."""
    return device.type == "cuda"


def cudnn_version() -> int | None:
    """The version of cuDNN as one number, 91300 for 9.13.0; None for a torch without it."""
    version: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return version


def kernel_dtype(dtype: torch.dtype, *, version: int | None) -> torch.dtype:
    """The dtype in which cuDNN of this `version` reads sequences that are asked for in `dtype`.

    bf16 where cuDNN has it, else fp32, which by default means products in TF32: still far faster than the loop over
    time that torch would take. None is a torch without cuDNN, whose own loops take anything.
    """
    if dtype is torch.bfloat16 and version is not None and version < _BF16_SINCE:
        return torch.float32
    return dtype


def in_one_block(weights: Sequence[Tensor], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """The weights in `dtype`, end to end in one block of memory, with the gradient of a cast.

    cuDNN reads all weights of a layer from one block, in the order w_ih, w_hh, b_ih, b_hh. Given weights that lie
    anywhere, torch would copy them into such a block at every call, after they were cast. Here the cast is the copy.
    """
    views: tuple[Tensor, ...] = _InOneBlock.apply(dtype, *weights)  # type: ignore[no-untyped-call]
    return views


class _InOneBlock(Function):
    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.dtypes = [weight.dtype for weight in weights]
        sizes = [weight.numel() for weight in weights]
        block = weights[0].new_empty(sum(sizes), dtype=dtype)
        parts = torch.split(block, sizes)
        views = tuple(part.view(weight.shape) for part, weight in zip(parts, weights, strict=True))
        for view, weight in zip(views, weights, strict=True):
            view.copy_(weight)
        return views

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        casts = (
            None if gradient is None else gradient.to(dtype)
            for gradient, dtype in zip(gradients, ctx.dtypes, strict=True)
        )
        return None, *casts
