"""How a layer's output joins its input, in the encoder and in the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

ConnectionName = Literal["plain", "residual", "highway", "dense"]


@dataclass(frozen=True)
class Connection:
    """The kind of connection and, for residual and highway, the `first` layer, counted from 1, that is bypassed."""

    kind: ConnectionName = "plain"
    first: int = 2


#: Each layer reads the output of the layer below it.
PLAIN = Connection()


class Connections(nn.Module):
    r"""What each layer of a stack reads, and what the stack gives. Nothing ever leads around the first layer.

    With x the input of a layer and y its output, the next layer reads:

    - `plain`: y;
    - `residual`: y + x, from layer `first` on (He et al. 2016; Wu et al. 2016, equation 6);
    - `highway`: t y + (1 - t) x with :math:`t = \sigma(W_t x + b_t)`, from layer `first` on (Srivastava et al. 2015,
      equation 3); b_t is made -1, so that the layers begin by passing on most of what they read;
    - `dense`: x and y side by side, so that a layer reads the stack's input and the outputs of all layers below it
      (Huang et al. 2017, equation 2); the stack gives the top layer's y alone.

    Only `highway` has parameters.
    """

    def __init__(
        self,
        *,
        kind: ConnectionName,
        input_size: int,
        width: int,
        layers: int,
        first: int = 2,
        bottom_width: int | None = None,
    ) -> None:
        """Connect `layers` layers.

        Args:
            kind: plain, residual, highway or dense.
            input_size: width of what the first layer reads.
            width: width of a layer's output.
            layers: how many there are.
            first: the first layer, counted from 1, that residual and highway bypass; 2 or more.
            bottom_width: width of the first layer's output where it differs from the others'.

        Raises:
            ValueError: a layer would be bypassed whose output is not as wide as its input, or it is the first.
        """
        super().__init__()
        self.kind = kind
        self.first = first
        self.widths = (width if bottom_width is None else bottom_width,) + (width,) * (layers - 1)
        self.stack_input = input_size
        self.output_size = self.widths[-1]
        bypassed = [index for index in range(layers) if self._bypasses(index)]
        if 0 in bypassed:
            raise ValueError("the first layer cannot be bypassed; connect from layer 2 on")
        for index in bypassed:
            if self.widths[index] != self.widths[index - 1]:
                raise ValueError(
                    f"layer {index + 1} reads {self.widths[index - 1]} numbers and gives {self.widths[index]}: it "
                    "cannot be bypassed; connect from the layer after it on"
                )
        if kind == "highway":
            self.gates = nn.ModuleList(nn.Linear(width, width) for _ in bypassed)
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the gates' weights, Xavier-uniform, and set their biases to -1."""
        if self.kind == "highway":
            for gate in self.gates:
                assert isinstance(gate, nn.Linear)
                nn.init.xavier_uniform_(gate.weight)
                nn.init.constant_(gate.bias, -1.0)

    def _bypasses(self, index: int) -> bool:
        return self.kind in ("residual", "highway") and index + 1 >= self.first

    def input_size(self, index: int) -> int:
        """Width of what layer `index`, counted from 0, reads."""
        if index == 0:
            return self.stack_input
        return self.stack_input + sum(self.widths[:index]) if self.kind == "dense" else self.widths[index - 1]

    def join(self, index: int, inputs: Tensor, outputs: Tensor) -> Tensor:
        """What follows layer `index`, counted from 0: the next layer's input, or after the last what the stack gives.

        `inputs` [..., input_size(index)] is what the layer read, without anything that only this layer reads (as an
        attention's context); `outputs` [..., width] what it gave.
        """
        if self.kind == "dense":
            return torch.cat((inputs, outputs), dim=-1) if index + 1 < len(self.widths) else outputs
        if not self._bypasses(index):
            return outputs
        if self.kind == "residual":
            return outputs + inputs
        transform = torch.sigmoid(self.gates[index + 1 - self.first](inputs))
        return transform * outputs + (1.0 - transform) * inputs
