"""The encoder: source pieces to one vector per piece and a summary of the sentence."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seq2seq.nn.cells import CellState
from seq2seq.nn.embedding import EmbeddingDropout
from seq2seq.nn.recurrent import EncoderStack, read_positions, reversal


@dataclass(frozen=True)
class EncodedSource:
    """`values` [batch, src_len, width], zero on padding; bool `mask` [batch, src_len]; all layers' final `states`."""

    values: Tensor
    mask: Tensor
    states: tuple[CellState, ...]


class Encoder(nn.Module):
    """Embeddings and a stack of recurrent layers."""

    def __init__(
        self,
        *,
        embedding: nn.Embedding,
        stack: EncoderStack,
        dropout: EmbeddingDropout,
        reverse_source: bool,
        projection: nn.Linear | None = None,
        embedding_in_output: bool = False,
    ) -> None:
        """Put an encoder together.

        With `reverse_source` the stack reads every sentence from its last piece to its first. `projection` is a linear
        layer on what the stack gives (Chen et al. 2018, section 3). With `embedding_in_output` the values are that and
        the pieces' embeddings side by side (source-side bridging, Kuang et al. 2018, section 3.1): what the decoder
        reads through its attention then has the piece itself, which the layers' output, made for the sentence, blurs.
        """
        super().__init__()
        self.embedding = embedding
        self.stack = stack
        self.dropout = dropout
        self.reverse_source = reverse_source
        self.projection = projection
        self.embedding_in_output = embedding_in_output
        self.output_size = stack.output_size if projection is None else projection.out_features
        if embedding_in_output:
            self.output_size += embedding.embedding_dim

    def forward(self, source: Tensor, lengths: Tensor, mask: Tensor) -> EncodedSource:
        """Encode `source`, ids [batch, src_len] padded behind `lengths` [batch]; `mask` bool [batch, src_len].

        The values stay in the order of the source's pieces, whatever the order of reading.
        """
        embedded = self.dropout(self.embedding(source), self.training)
        if self.reverse_source:
            backwards = reversal(lengths, source.shape[1])
            values, states = self.stack(read_positions(embedded, backwards), lengths, mask)
            values = read_positions(values, backwards)
        else:
            values, states = self.stack(embedded, lengths, mask)
        if self.projection is not None:
            values = self.projection(values).masked_fill(~mask.unsqueeze(-1), 0.0)
        if self.embedding_in_output:
            values = torch.cat((values, embedded.masked_fill(~mask.unsqueeze(-1), 0.0).to(values.dtype)), dim=-1)
        return EncodedSource(values, mask, states)
