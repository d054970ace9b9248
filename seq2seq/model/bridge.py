"""The bridge: from what the encoder has read to the decoder's first state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from seq2seq.model.encoder import EncodedSource
from seq2seq.nn.cells import CellState

#: Widths of h and of c of one layer's state; 0 where there is no c.
StateSizes = tuple[int, int]


class Bridge(Protocol):
    """What the model needs of a bridge: the first state of every decoder layer, [batch, hidden] each."""

    def __call__(self, source: EncodedSource) -> tuple[CellState, ...]:
        """The states, from an encoded source."""
        ...


class ZeroBridge(nn.Module):
    """Every state starts at zero; the attention alone connects the decoder to the source."""

    def __init__(self, *, state_sizes: Sequence[StateSizes]) -> None:
        super().__init__()
        self.state_sizes = tuple(state_sizes)

    def forward(self, source: EncodedSource) -> tuple[CellState, ...]:
        """States of zeros."""
        values = source.values
        return tuple(
            CellState(values.new_zeros(values.shape[0], h), values.new_zeros(values.shape[0], c) if c else None)
            for h, c in self.state_sizes
        )


class FinalStateBridge(nn.Module):
    """Each decoder layer starts where its encoder layer ended (Sutskever et al. 2014); no parameters."""

    def forward(self, source: EncodedSource) -> tuple[CellState, ...]:
        """The encoder's final states, memory cells included."""
        return source.states


class TanhBridge(nn.Module):
    """A tanh layer for every state of the decoder, h and c, on a summary of the source.

    The summary is `final`: the final h of the encoder's top layer, both directions side by side; `backward`: that of
    the direction that reads backward alone (Bahdanau et al. 2015, section A.2.2); or `mean`: the mean of the encoder's
    outputs over the real positions (Nematus, Sennrich et al. 2017).
    """

    def __init__(
        self, *, summary: Literal["final", "backward", "mean"], input_size: int, state_sizes: Sequence[StateSizes]
    ) -> None:
        """`input_size` is the width of the final h, both directions counted, or of the outputs for `mean`."""
        super().__init__()
        self.summary = summary
        self.state_sizes = tuple(state_sizes)
        self._parts = [size for sizes in state_sizes for size in sizes]
        self.projection = nn.Linear(input_size // 2 if summary == "backward" else input_size, sum(self._parts))

    def forward(self, source: EncodedSource) -> tuple[CellState, ...]:
        """States made from the summary."""
        projected = torch.tanh(self.projection(self._summary(source)))
        parts = iter(torch.split(projected, self._parts, dim=-1))
        return tuple(CellState(next(parts), c if (c := next(parts)).shape[-1] else None) for _ in self.state_sizes)

    def _summary(self, source: EncodedSource) -> Tensor:
        match self.summary:
            case "final":
                return source.states[-1].h
            case "backward":
                return source.states[-1].h.chunk(2, dim=-1)[1]
            case "mean":
                lengths = source.mask.sum(dim=1, keepdim=True).to(source.values.dtype)
                return source.values.sum(dim=1) / lengths
