"""Attention of decoder queries over an encoded source.

Every kind has the same two calls: :meth:`remember`, once per source, projects the keys; :meth:`forward` takes
queries [batch, n, query] with n = tgt_len in training, 1 in greedy search and beam in beam search. The memory has one
row per sentence and is never repeated for the hypotheses of a beam.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from seq2seq.nn.dropout import dropout


@dataclass(frozen=True)
class Memory:
    """An encoded source: `values` and, as the attention projects them, `keys` [batch, src_len, width]; bool `mask`."""

    values: Tensor
    keys: Tensor
    mask: Tensor

    def keep(self, sentences: Tensor) -> Memory:
        """The memory of these sentences only; `sentences` is a LongTensor [kept]."""
        return Memory(
            self.values.index_select(0, sentences),
            self.keys.index_select(0, sentences),
            self.mask.index_select(0, sentences),
        )


def _weights(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax of `scores` [batch, ..., src_len] over the real positions of `mask` [batch, src_len].

    It is taken in float32, or float64 where the scores are.
    """
    shape = (mask.shape[0],) + (1,) * (scores.dim() - 2) + (mask.shape[1],)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return scores.masked_fill(~mask.view(shape), float("-inf")).softmax(dim=-1)


def _read(weights: Tensor, values: Tensor, probability: float, training: bool) -> Tensor:
    """Contexts [batch, n, value]: the values averaged by `weights` [batch, n, src_len]."""
    return dropout(weights, probability, training).to(values.dtype) @ values


class DotAttention(nn.Module):
    """score(q, v) = q . v (Luong et al. 2015, equation 8, dot). Queries and values have the same width."""

    def __init__(self, *, value_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value] under `mask` bool [batch, src_len]."""
        return Memory(values, values, mask)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        weights = _weights(queries @ memory.keys.transpose(1, 2).to(queries.dtype), memory.mask)
        return _read(weights, memory.values, self.dropout, self.training), weights


class GeneralAttention(nn.Module):
    """score(q, v) = q . W v (Luong et al. 2015, equation 8, general); W v is computed once per source."""

    def __init__(self, *, query_size: int, value_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.output_size = value_size
        self.dropout = dropout
        self.key = nn.Linear(value_size, query_size, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; its keys are [batch, src_len, query]."""
        return Memory(values, self.key(values), mask)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        weights = _weights(queries @ memory.keys.transpose(1, 2).to(queries.dtype), memory.mask)
        return _read(weights, memory.values, self.dropout, self.training), weights


class AdditiveAttention(nn.Module):
    """score(q, v) = w . tanh(Q q + K v + b) (Bahdanau et al. 2015, section A.1.2)."""

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

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        # [batch, n, 1, size] + [batch, 1, src_len, size]
        sums = self.query(queries).unsqueeze(2) + memory.keys.unsqueeze(1)
        weights = _weights(self.score(torch.tanh(sums)).squeeze(-1), memory.mask)
        return _read(weights, memory.values, self.dropout, self.training), weights


class MultiheadAttention(nn.Module):
    """Scaled dot products in several projections at once (Vaswani et al. 2017, section 3.2.2).

    The weights it returns are the mean over the heads.
    """

    def __init__(self, *, query_size: int, value_size: int, size: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if size % heads:
            raise ValueError(f"{heads} heads do not divide a width of {size}")
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

    def _split(self, sequences: Tensor) -> Tensor:
        """[batch, n, size] -> [batch, heads, n, size/heads]."""
        batch, n, size = sequences.shape
        return sequences.view(batch, n, self.heads, size // self.heads).transpose(1, 2)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Contexts [batch, n, value] and mean weights [batch, n, src_len] of `queries` [batch, n, query]."""
        projected = self._split(self.query(queries))
        keys = self._split(memory.keys).transpose(2, 3)
        scores = projected @ keys.to(projected.dtype) * projected.shape[-1] ** -0.5
        weights = _weights(scores, memory.mask)  # [batch, heads, n, src_len]
        contexts = _read(weights, self._split(memory.values), self.dropout, self.training)
        contexts = contexts.transpose(1, 2).flatten(2)  # [batch, n, size]
        return self.output(contexts), weights.mean(dim=1)


class Attention(Protocol):
    """What a decoder needs of an attention."""

    output_size: int

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Project the keys of `values` [batch, src_len, value] once."""
        ...

    def __call__(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        ...
