"""The encoder: source pieces to one vector per piece and a summary of the sentence."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from seq2seq.nn.cells import CellState
from seq2seq.nn.dropout import dropout
from seq2seq.nn.recurrent import EncoderStack


@dataclass(frozen=True)
class EncodedSource:
    """`values` [batch, src_len, width], zero on padding; bool `mask` [batch, src_len]; all layers' final `states`."""

    values: Tensor
    mask: Tensor
    states: tuple[CellState, ...]


class Encoder(nn.Module):
    """Embeddings and a stack of recurrent layers."""

    def __init__(self, *, embedding: nn.Embedding, stack: EncoderStack, embedding_dropout: float) -> None:
        super().__init__()
        self.embedding = embedding
        self.stack = stack
        self.embedding_dropout = embedding_dropout
        self.output_size = stack.output_size

    def forward(self, source: Tensor, lengths: Tensor, mask: Tensor) -> EncodedSource:
        """Encode `source`, ids [batch, src_len] padded behind `lengths` [batch]; `mask` bool [batch, src_len]."""
        embedded = dropout(self.embedding(source), self.embedding_dropout, self.training)
        values, states = self.stack(embedded, lengths, mask)
        return EncodedSource(values, mask, states)
