"""Attention by a small network over query and key: additive, normalised additive and concat."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2seq.nn.attention.protocol import Attended, AttentionState, Memory, no_state
from seq2seq.nn.attention.scores import additive_scores
from seq2seq.nn.attention.weighing import masked_softmax, read


class AdditiveAttention(nn.Module):
    """score(q, v) = w . tanh(Q q + K v + b) (Bahdanau et al. 2015, section A.1.2)."""

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, query_size: int, value_size: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size)
        self.score = nn.Linear(size, 1, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; its keys are [batch, src_len, size]."""
        return Memory(values, self.key(values), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        scores = additive_scores(self.query(queries), memory.keys, self.score.weight[0])
        weights = masked_softmax(scores, memory.mask)
        return Attended(read(weights, memory.values, self.dropout, self.training), weights)


class NormalizedAdditiveAttention(nn.Module):
    """score(q, v) = g w/|w| . tanh(Q q + K v + b), the form of NVIDIA's GNMT.

    The length of w is a parameter g of its own, 1/sqrt(size) at first (weight normalisation, Salimans and Kingma 2016,
    equation 2).
    """

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, query_size: int, value_size: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size)
        self.score = nn.Linear(size, 1, bias=False)
        self.gain = nn.Parameter(torch.tensor(size**-0.5))

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; its keys are [batch, src_len, size]."""
        return Memory(values, self.key(values), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        direction = self.score.weight[0]
        scores = additive_scores(self.query(queries), memory.keys, self.gain * direction / direction.norm())
        weights = masked_softmax(scores, memory.mask)
        return Attended(read(weights, memory.values, self.dropout, self.training), weights)


class ConcatAttention(nn.Module):
    """score(q, v) = w . tanh(W [q; v]) (Luong et al. 2015, equation 8, concat).

    W is held in two parts, W [q; v] = Q q + K v, so that K v is computed once per source. It is additive attention
    without the bias.
    """

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, query_size: int, value_size: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; its keys are [batch, src_len, size]."""
        return Memory(values, self.key(values), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        scores = additive_scores(self.query(queries), memory.keys, self.score.weight[0])
        weights = masked_softmax(scores, memory.mask)
        return Attended(read(weights, memory.values, self.dropout, self.training), weights)
