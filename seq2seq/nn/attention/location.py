"""Attention that knows where it has just looked."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from seq2seq.nn.attention.protocol import Attended, AttentionState, Memory
from seq2seq.nn.attention.scores import additive_scores
from seq2seq.nn.attention.weighing import masked_softmax, read


class LocationAttention(nn.Module):
    r"""Hybrid attention of Chorowski et al. (2015, section 2.1).

    .. math::
        f_i = F * \alpha_{i-1}, \quad e_{ij} = w \cdot \tanh(Q q_i + K v_j + U f_{ij} + b)

    F holds `filters` filters of `width` positions each, centred on j; an even width reaches one position further to the
    right than to the left. (As in torch, a filter is not turned around.) Before the first and after the last position
    of a sentence the last weights count as 0, and so do all weights before the first step.
    """

    sequential: bool = True

    def __init__(
        self, *, query_size: int, value_size: int, size: int, filters: int, width: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.output_size = value_size
        self.width = width
        self.dropout = dropout
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size)
        self.filters = nn.Conv1d(1, filters, width, bias=False)
        self.location = nn.Linear(filters, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; its keys are [batch, src_len, size]."""
        return Memory(values, self.key(values), mask)

    def initial_state(self, memory: Memory, rows: int) -> AttentionState:
        """Nothing seen so far: the history is the last step's weights, float32 or wider [rows, src_len]."""
        dtype = torch.promote_types(memory.keys.dtype, torch.float32)
        return AttentionState(memory.keys.new_zeros(rows, memory.mask.shape[1], dtype=dtype))

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of one step of `queries` [batch, n, query]."""
        assert state is not None
        left = (self.width - 1) // 2
        padded = functional.pad(state.history.unsqueeze(1), (left, self.width - 1 - left))
        features = self.location(self.filters(padded).transpose(1, 2))  # [rows, src_len, size]
        # A key for every hypothesis: [batch, n, src_len, size].
        keys = memory.keys.unsqueeze(1) + features.view(*queries.shape[:2], *features.shape[1:])
        scores = additive_scores(self.query(queries).unsqueeze(2), keys, self.score.weight[0]).squeeze(2)
        weights = masked_softmax(scores, memory.mask)
        contexts = read(weights, memory.values, self.dropout, self.training)
        return Attended(contexts, weights, AttentionState(weights.flatten(0, 1)))
