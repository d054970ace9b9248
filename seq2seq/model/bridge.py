"""The bridge: from what the encoder has read to the decoder's first state."""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from seq2seq.model.encoder import EncodedSource
from seq2seq.nn.cells import CellState
from seq2seq.nn.recurrent import FusedCellName


class Bridge(Protocol):
    """What the model needs of a bridge: the first state of every decoder layer, [batch, hidden] each."""

    def __call__(self, source: EncodedSource) -> tuple[CellState, ...]:
        """The states, from an encoded source."""
        ...


class ZeroBridge(nn.Module):
    """Every state starts at zero; the attention alone connects the decoder to the source."""

    def __init__(self, *, cell: FusedCellName, layers: int, hidden_size: int) -> None:
        super().__init__()
        self.cell, self.layers, self.hidden_size = cell, layers, hidden_size

    def forward(self, source: EncodedSource) -> tuple[CellState, ...]:
        """States of zeros."""
        zeros = source.values.new_zeros(source.values.shape[0], self.hidden_size)
        return (CellState(zeros, zeros if self.cell == "lstm" else None),) * self.layers


class FinalStateBridge(nn.Module):
    """Each decoder layer starts where its encoder layer ended (Sutskever et al. 2014); no parameters."""

    def forward(self, source: EncodedSource) -> tuple[CellState, ...]:
        """The encoder's final states, memory cells included."""
        return source.states


class TanhBridge(nn.Module):
    """A tanh layer for every state of the decoder, h and c, on a summary of the source.

    The summary is `final`: the final h of the encoder's top layer (Bahdanau et al. 2015, section A.2.2, who take the
    backward direction's); or `mean`: the mean of the encoder's outputs over the real positions (Nematus, Sennrich et
    al. 2017).
    """

    def __init__(
        self,
        *,
        summary: Literal["final", "mean"],
        input_size: int,
        cell: FusedCellName,
        layers: int,
        hidden_size: int,
    ) -> None:
        super().__init__()
        self.summary = summary
        self.parts = 2 if cell == "lstm" else 1
        self.projection = nn.Linear(input_size, layers * self.parts * hidden_size)
        self.layers = layers

    def forward(self, source: EncodedSource) -> tuple[CellState, ...]:
        """States made from the summary."""
        if self.summary == "final":
            summary = source.states[-1].h
        else:
            summary = source.values.sum(dim=1) / source.mask.sum(dim=1, keepdim=True).to(source.values.dtype)
        projected: Tensor = torch.tanh(self.projection(summary))
        chunks = projected.chunk(self.layers * self.parts, dim=-1)
        if self.parts == 1:
            return tuple(CellState(h) for h in chunks)
        return tuple(CellState(h, c) for h, c in zip(chunks[::2], chunks[1::2], strict=True))
