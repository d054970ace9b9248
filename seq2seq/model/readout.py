"""The readout: what the output layer reads of the decoder at every position."""

from __future__ import annotations

import math
from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional


class Readout(Protocol):
    """What the decoder needs of a readout."""

    output_size: int

    def __call__(self, hidden: Tensor, embedded: Tensor, context: Tensor | None) -> Tensor:
        """Of the top layer's output [..., hidden], the embedding [..., embed] and the context [..., value]."""
        ...


class PlainReadout(nn.Module):
    """[h; context] as it is, or h alone where the wiring gives the readout no context; no parameters."""

    def __init__(self, *, hidden_size: int, context_size: int) -> None:
        """`context_size` is 0 where there is no context to read."""
        super().__init__()
        self.output_size = hidden_size + context_size

    def forward(self, hidden: Tensor, embedded: Tensor, context: Tensor | None) -> Tensor:
        """The vector [..., hidden + value]."""
        return hidden if context is None else torch.cat((hidden, context), dim=-1)


class LearnedReadout(nn.Module):
    """One layer of its own between the decoder and the output layer.

    - `tanh`: tanh(W [h; context]) (Luong et al. 2015, equation 5);
    - `deep`: tanh(W [h; embedding; context] + b) (deep output, Pascanu et al. 2014; the form of Nematus);
    - `maxout`: the larger of every two neighbours of W [h; embedding; context] + b, which is twice as wide (Goodfellow
      et al. 2013; Bahdanau et al. 2015, section A.2.2).

    With `gate` a sigmoid layer z of [h; embedding; context] weighs the two sides: z times the context's part of the sum
    and 1 - z times the rest, bias included (Tu et al. 2017, the gate on both sides).
    """

    def __init__(
        self,
        *,
        kind: Literal["tanh", "deep", "maxout"],
        hidden_size: int,
        embedding_size: int,
        context_size: int,
        output_size: int,
        gate: bool = False,
    ) -> None:
        """`context_size` is 0 where there is no context to read; a gate needs one."""
        super().__init__()
        if gate and context_size == 0:
            raise ValueError("a context gate needs a context")
        self.kind = kind
        self.output_size = output_size
        self.context_size = context_size
        sums = 2 * output_size if kind == "maxout" else output_size
        rest = hidden_size + (0 if kind == "tanh" else embedding_size)
        self.weight = nn.Parameter(torch.empty(sums, rest + context_size))
        self.bias = None if kind == "tanh" else nn.Parameter(torch.zeros(sums))
        self.gate = nn.Linear(hidden_size + embedding_size + context_size, sums) if gate else None
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def forward(self, hidden: Tensor, embedded: Tensor, context: Tensor | None) -> Tensor:
        """The readout [..., output]."""
        rest = [hidden] if self.kind == "tanh" else [hidden, embedded]
        if self.gate is not None:
            assert context is not None
            z = torch.sigmoid(self.gate(torch.cat((hidden, embedded, context), dim=-1)))
            border = self.weight.shape[1] - self.context_size
            sums = (1 - z) * functional.linear(torch.cat(rest, dim=-1), self.weight[:, :border], self.bias)
            sums = sums + z * functional.linear(context, self.weight[:, border:])
        else:
            parts = rest if context is None else [*rest, context]
            sums = functional.linear(torch.cat(parts, dim=-1), self.weight, self.bias)
        if self.kind == "maxout":
            return sums.view(*sums.shape[:-1], self.output_size, 2).amax(dim=-1)
        return torch.tanh(sums)
