"""Linear layers that are only read: their weights in the layout that the CPU's matrix product works in."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

#: Rows that the layout is chosen for; products with other numbers of rows are right, if a little slower.
_TYPICAL_ROWS = 320


class PrepackedLinear:
    """x W^T + b with a constant W, in float32 or bfloat16.

    oneDNN multiplies with a layout of its own. `torch.nn.functional.linear` brings W into it at every call, or leaves
    the product to another library; here it is brought into it once. The operators are private ones of PyTorch: where
    they are missing (another processor, a build without oneDNN) the plain product takes their place.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, dtype: torch.dtype) -> None:
        """`weight` is [output, input], `bias` [output]; both are copied."""
        self.dtype = dtype
        self.output_size = weight.shape[0]
        weight = weight.detach().to(dtype).contiguous()
        self.bias = None if bias is None else bias.detach().to(dtype).contiguous()
        self.packed = can_prepack(dtype)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS) if self.packed else weight

    def __call__(self, inputs: Tensor) -> Tensor:
        """Of `inputs` [rows, input] in any dtype, [rows, output] in the layer's."""
        inputs = inputs.to(self.dtype)
        if not self.packed:
            return functional.linear(inputs, self.weight, self.bias)
        result: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self.weight, self.bias, "none", [], "")
        return result


@cache
def can_prepack(dtype: torch.dtype) -> bool:
    """Whether this machine and this PyTorch multiply with prepacked weights of `dtype`; tried on a small product."""
    weight, inputs = torch.arange(48.0).view(6, 8).to(dtype) / 8, torch.arange(24.0).view(3, 8).to(dtype) / 8
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, 3)
        product = torch.ops.mkldnn._linear_pointwise(inputs, packed, None, "none", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return bool(torch.allclose(product, functional.linear(inputs, weight), rtol=0.02))
