"""Linear layers that are only read: their weights in the precision, and on a CPU the layout, that products work in."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

#: Rows that the layout is chosen for; products with other numbers of rows are right, if a little slower.
_TYPICAL_ROWS = 320

#: The largest number of a quantised weight or input, and what is added to inputs, which oneDNN wants without a sign.
_LARGEST, _ZERO = 127, 128


class Product(Protocol):
    """x W^T + b with a constant W."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """Of `inputs` [rows, input] in any floating dtype, [rows, output]."""
        ...

    def select(self, outputs: Tensor) -> Product:
        """The product that gives these outputs only; `outputs` is a LongTensor [selected]."""
        ...


def prepacked(weight: Tensor, bias: Tensor | None, *, dtype: torch.dtype, bound: float | None = None) -> Product:
    """X W^T + b in `dtype`: float32, bfloat16 or int8, of which the last is float32 where this machine lacks it.

    Args:
        weight: [output, input], copied.
        bias: [output], copied.
        dtype: of the factors.
        bound: what no input's magnitude exceeds, where that is known beforehand, as it is behind a tanh.
    """
    if dtype is not torch.int8:
        return PrepackedLinear(weight, bias, dtype=dtype)
    if not can_quantise():
        return PrepackedLinear(weight, bias, dtype=torch.float32)
    return QuantisedLinear(weight, bias, bound=bound)


class PrepackedLinear:
    """A :class:`Product` in float32 or bfloat16, which is its result's dtype, too.

    On a CPU oneDNN multiplies with a layout of its own. `torch.nn.functional.linear` brings W into it at every call, or
    leaves the product to another library; here it is brought into it once. The operators are private ones of PyTorch:
    where they are missing (another device or processor, a build without oneDNN) the plain product takes their place.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, dtype: torch.dtype) -> None:
        """`weight` is [output, input], `bias` [output]; both are copied."""
        self.dtype = dtype
        self.bias = None if bias is None else bias.detach().to(dtype, copy=True)
        self.packed = weight.device.type == "cpu" and can_prepack(dtype)
        self._plain = weight.detach().to(dtype, copy=True).contiguous()
        self.weight = (
            torch.ops.mkldnn._reorder_linear_weight(self._plain, _TYPICAL_ROWS) if self.packed else self._plain
        )

    def __call__(self, inputs: Tensor) -> Tensor:
        """Of `inputs` [rows, input] in any dtype, [rows, output] in the layer's."""
        inputs = inputs.to(self.dtype)
        if not self.packed:
            return functional.linear(inputs, self.weight, self.bias)
        result: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self.weight, self.bias, "none", [], "")
        return result

    def select(self, outputs: Tensor) -> PrepackedLinear:
        """See :meth:`Product.select`."""
        bias = None if self.bias is None else self.bias.index_select(0, outputs)
        return PrepackedLinear(self._plain.index_select(0, outputs), bias, dtype=self.dtype)


class QuantisedLinear:
    r"""A :class:`Product` of 8-bit integers, with a result in float32.

    Every row of W has a scale of its own, :math:`s_o = \max_i |W_{oi}| / 127`, and so has every row of x, so that a
    row's result depends on that row alone; where a bound of all inputs is known, it is the one scale of them all. What
    is rounded is x and W; the sums are exact.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, bound: float | None) -> None:
        """`weight` is [output, input], `bias` [output]; both are copied."""
        self._bound = bound
        bias = None if bias is None else bias.detach().to(torch.float32, copy=True)
        self._keep(*quantised_rows(weight.detach().float()), bias)

    def _keep(self, weights: Tensor, scales: Tensor, bias: Tensor | None) -> None:
        self._weights, self._scales, self._bias = weights, scales, bias
        self._zeros = torch.zeros(weights.shape[0], dtype=torch.int32)
        self._shift = torch.tensor(_ZERO + 0.5)
        self._packed = torch.ops.onednn.qlinear_prepack(weights, None)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Of `inputs` [rows, input] in any floating dtype, [rows, output] in float32."""
        inputs = inputs.float()
        if self._bound is not None:
            shifted = torch.add(self._shift, inputs, alpha=_LARGEST / self._bound)
            return self._product(shifted, self._bound / _LARGEST, self._bias)
        scales = inputs.abs().amax(dim=1, keepdim=True).clamp_(min=1e-30).div_(_LARGEST)  # [rows, 1]
        product = self._product((inputs / scales).add_(self._shift), 1.0, None)
        return product.mul_(scales) if self._bias is None else torch.addcmul(self._bias, product, scales)

    def select(self, outputs: Tensor) -> QuantisedLinear:
        """See :meth:`Product.select`."""
        selected = copy(self)
        bias = None if self._bias is None else self._bias.index_select(0, outputs)
        selected._keep(self._weights.index_select(0, outputs), self._scales.index_select(0, outputs), bias)
        return selected

    def _product(self, shifted: Tensor, scale: float, bias: Tensor | None) -> Tensor:
        """Of inputs between -127 and 127, `shifted` by 128 and, as what follows the point is cut off, by a half."""
        whole = shifted.to(torch.uint8)
        result: Tensor = torch.ops.onednn.qlinear_pointwise(
            whole, scale, _ZERO, self._packed, self._scales, self._zeros, bias, 1.0, 0, torch.float32, "none", [], ""
        )
        return result


def quantised_rows(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix [rows, columns] as int8 of the same shape and float32 scales [rows], of which the product is nearest."""
    scales = matrix.abs().amax(dim=1).clamp(min=1e-30) / _LARGEST
    return (matrix / scales[:, None]).round_().clamp_(-_LARGEST, _LARGEST).to(torch.int8), scales


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


@cache
def can_quantise() -> bool:
    """Whether this machine and this PyTorch multiply 8-bit integers; tried on a small product."""
    weight, inputs = torch.arange(-24.0, 24.0).view(6, 8) / 8, torch.arange(-12.0, 12.0).view(3, 8) / 12
    try:
        product = QuantisedLinear(weight, weight[:, 0], bound=1.0)(inputs)
    except (AttributeError, RuntimeError, TypeError, NotImplementedError):
        return False
    return bool(torch.allclose(product, functional.linear(inputs, weight, weight[:, 0]), atol=0.1))
