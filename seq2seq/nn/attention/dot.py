"""Attention by inner products: dot, scaled dot and general."""

from __future__ import annotations

from torch import Tensor, nn

from seq2seq.nn.attention.protocol import Attended, AttentionState, Memory, no_state
from seq2seq.nn.attention.scores import dot_scores
from seq2seq.nn.attention.weighing import masked_softmax, read


class DotAttention(nn.Module):
    """score(q, v) = q . v (Luong et al. 2015, equation 8, dot). Queries and values have the same width."""

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, value_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value] under `mask` bool [batch, src_len]."""
        return Memory(values, values, mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, value]."""
        weights = masked_softmax(dot_scores(queries, memory.keys), memory.mask)
        return Attended(read(weights, memory.values, self.dropout, self.training), weights)


class ScaledDotAttention(nn.Module):
    """score(q, v) = q . v / sqrt(width) (Vaswani et al. 2017, equation 1). Queries and values have the same width."""

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, value_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value] under `mask` bool [batch, src_len]."""
        return Memory(values, values, mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, value]."""
        weights = masked_softmax(dot_scores(queries * self.output_size**-0.5, memory.keys), memory.mask)
        return Attended(read(weights, memory.values, self.dropout, self.training), weights)


class GeneralAttention(nn.Module):
    """score(q, v) = q . W v (Luong et al. 2015, equation 8, general); W v is computed once per source."""

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, query_size: int, value_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout
        self.key = nn.Linear(value_size, query_size, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; its keys are [batch, src_len, query]."""
        return Memory(values, self.key(values), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        weights = masked_softmax(dot_scores(queries, memory.keys), memory.mask)
        return Attended(read(weights, memory.values, self.dropout, self.training), weights)
