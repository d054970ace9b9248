"""Attention that knows what it has seen of every source position so far."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2seq.nn.attention.protocol import Attended, AttentionState, Memory
from seq2seq.nn.attention.scores import additive_scores
from seq2seq.nn.attention.weighing import masked_softmax, read


class CoverageAttention(nn.Module):
    r"""Additive attention with linguistic coverage (Tu et al. 2016, section 3.1).

    .. math::
        \Phi_j = N \sigma(u \cdot v_j), \quad C_{ij} = C_{i-1,j} + \alpha_{ij} / \Phi_j, \quad
        e_{ij} = w \cdot \tanh(Q q_i + K v_j + z C_{i-1,j} + b)

    The fertility of a position, at most `fertility` N, is how many target words it is expected to yield; its coverage C
    starts at 0 and approaches 1 as they are produced.
    """

    sequential: bool = True

    def __init__(
        self, *, query_size: int, value_size: int, size: int, fertility: float = 2.0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.output_size = value_size
        self.most = fertility
        self.dropout = dropout
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size)
        self.fertility = nn.Linear(value_size, 1, bias=False)
        self.coverage = nn.Linear(1, size, bias=False)
        self.score = nn.Linear(size, 1, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value] with the fertilities [batch, src_len] as its extra."""
        logits = self.fertility(values).squeeze(-1)
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        # Of padding nothing is ever seen; a fertility that can be divided by keeps it so.
        fertilities = self.most * torch.sigmoid(wide).masked_fill(~mask, 1.0)
        return Memory(values, self.key(values), mask, fertilities)

    def initial_state(self, memory: Memory, rows: int) -> AttentionState:
        """Nothing seen so far: the history is the coverage, float32 or wider [rows, src_len]."""
        assert memory.extra is not None
        return AttentionState(memory.extra.new_zeros(rows, memory.mask.shape[1]))

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of one step of `queries` [batch, n, query]."""
        assert state is not None
        assert memory.extra is not None
        coverage = state.history.view(*queries.shape[:2], -1)  # [batch, n, src_len]
        # A key for every hypothesis: [batch, n, src_len, size].
        keys = memory.keys.unsqueeze(1) + self.coverage(coverage.unsqueeze(-1))
        scores = additive_scores(self.query(queries).unsqueeze(2), keys, self.score.weight[0]).squeeze(2)
        weights = masked_softmax(scores, memory.mask)
        contexts = read(weights, memory.values, self.dropout, self.training)
        coverage = coverage + weights / memory.extra.unsqueeze(1)
        return Attended(contexts, weights, AttentionState(coverage.flatten(0, 1)))
