"""Attention in several projections at once."""

from __future__ import annotations

from torch import Tensor, nn

from seq2seq.nn.attention.protocol import Attended, AttentionState, Memory, no_state
from seq2seq.nn.attention.scores import additive_scores, dot_scores
from seq2seq.nn.attention.weighing import masked_softmax, read


def check_heads(size: int, heads: int) -> None:
    """Raise ValueError if `heads` heads of one width do not fill a width of `size`."""
    if size % heads:
        raise ValueError(f"{heads} heads do not divide a width of {size}")


def split_heads(sequences: Tensor, heads: int) -> Tensor:
    """[batch, n, size] -> [batch, heads, n, size/heads]."""
    batch, n, size = sequences.shape
    return sequences.view(batch, n, heads, size // heads).transpose(1, 2)


def join_heads(sequences: Tensor) -> Tensor:
    """[batch, heads, n, size/heads] -> [batch, n, size]."""
    return sequences.transpose(1, 2).flatten(2)


class MultiheadAttention(nn.Module):
    """Scaled dot products in several projections at once (Vaswani et al. 2017, section 3.2.2).

    The weights it returns are the mean over the heads.
    """

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, query_size: int, value_size: int, size: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_heads(size, heads)
        self.output_size = value_size
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(query_size, size)
        self.key = nn.Linear(value_size, size)
        self.value = nn.Linear(value_size, size)
        self.output = nn.Linear(size, value_size)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; keys and values of all heads are [batch, src_len, size]."""
        return Memory(self.value(values), self.key(values), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and mean weights [batch, n, src_len] of `queries` [batch, n, query]."""
        projected = split_heads(self.query(queries), self.heads)
        scores = dot_scores(projected, split_heads(memory.keys, self.heads)) * projected.shape[-1] ** -0.5
        weights = masked_softmax(scores, memory.mask)  # [batch, heads, n, src_len]
        contexts = read(weights, split_heads(memory.values, self.heads), self.dropout, self.training)
        return Attended(self.output(join_heads(contexts)), weights.mean(dim=1))


class MultiheadAdditiveAttention(nn.Module):
    """Additive attention in several projections at once (Chen et al. 2018, RNMT+), in the form of its public code.

    Queries and values are projected once, with a bias, and split among the heads. What a head scores is also what it
    reads: its part of a projected value. The scoring network has no bias, works at the width of a head and is the same
    for all heads. The context, as wide as `size`, is the heads side by side; no projection follows. Parameters:
    (query + 1) size + (value + 1) size + 2 width^2 + width, with width = size / heads.

    The weights it returns are the mean over the heads.
    """

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, query_size: int, value_size: int, size: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_heads(size, heads)
        self.output_size = size
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(query_size, size)
        self.value = nn.Linear(value_size, size)
        width = size // heads
        self.head_query = nn.Linear(width, width, bias=False)
        self.head_key = nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; keys and values of all heads are [batch, src_len, size]."""
        projected = self.value(values)
        return Memory(projected, join_heads(self.head_key(split_heads(projected, self.heads))), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, size] and mean weights [batch, n, src_len] of `queries` [batch, n, query]."""
        projected = self.head_query(split_heads(self.query(queries), self.heads))  # [batch, heads, n, width]
        scores = additive_scores(projected, split_heads(memory.keys, self.heads), self.score.weight[0])
        weights = masked_softmax(scores, memory.mask)  # [batch, heads, n, src_len]
        contexts = read(weights, split_heads(memory.values, self.heads), self.dropout, self.training)
        return Attended(join_heads(contexts), weights.mean(dim=1))
