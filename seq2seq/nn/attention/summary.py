"""No attention: one context for a whole source."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2seq.nn.attention.protocol import Attended, AttentionState, Memory, no_state


class SummaryAttention(nn.Module):
    """Every context is tanh(V h), h the value at the last real position (Cho et al. 2014, section A.1.1).

    Queries are not read, and there are no weights.
    """

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, value_size: int) -> None:
        super().__init__()
        self.output_size = value_size
        self.summary = nn.Linear(value_size, value_size, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory whose `values` and `keys` are the summary [batch, 1, value] of `values` [batch, src_len, value]."""
        positions = torch.arange(mask.shape[1], device=mask.device)
        last = (positions * mask).amax(dim=1)  # [batch]
        summary = torch.tanh(self.summary(values.take_along_dim(last.view(-1, 1, 1), dim=1)))
        return Memory(summary, summary, mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """The context of the memory for each of `queries` [batch, n, query]: [batch, n, value]."""
        return Attended(memory.values.expand(-1, queries.shape[1], -1), None)
