"""Attention to a single position."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2seq.nn.attention.protocol import Attended, AttentionState, Choice, Memory, no_state
from seq2seq.nn.attention.scores import additive_scores
from seq2seq.nn.attention.weighing import masked_scores


def draw(log_probs: Tensor) -> Tensor:
    """Positions [batch, n, 1], each drawn from its distribution `log_probs` [batch, n, src_len].

    The largest of log p plus Gumbel noise is a draw from p. torch.multinomial would look at the probabilities first,
    for which a GPU waits, and would abort where a training has diverged.
    """
    gumbel = -torch.empty_like(log_probs).exponential_().log()
    return (log_probs + gumbel).argmax(dim=-1, keepdim=True)


class HardAttention(nn.Module):
    """Stochastic hard attention (Xu et al. 2015, section 4.1), with the additive score.

    The context is the value at one position. In training the position is drawn from the softmax of the scores, by
    torch's generator, and the answer carries a :class:`Choice`: the drawing passes no gradient to the scores, so they
    are trained by REINFORCE (Williams 1992). In evaluation it is the most probable position, the first of equals, so
    that every search and every forced decoding sees the same. Weights are 1 there and 0 elsewhere. The paper also takes
    the expected context in the place of the drawn one half of the time; this does not.
    """

    sequential: bool = False
    initial_state = no_state

    def __init__(self, *, query_size: int, value_size: int, size: int) -> None:
        super().__init__()
        self.output_size = value_size
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(value_size, size)
        self.score = nn.Linear(size, 1, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value]; its keys are [batch, src_len, size]."""
        return Memory(values, self.key(values), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and one-hot weights [batch, n, src_len] of `queries` [batch, n, query]."""
        scores = additive_scores(self.query(queries), memory.keys, self.score.weight[0])
        log_probs = masked_scores(scores, memory.mask).log_softmax(dim=-1)
        choice = None
        if self.training:
            positions = draw(log_probs.detach())
            # Padding has the probability 0 and adds nothing to the entropy.
            plogp = log_probs.exp() * log_probs.masked_fill(~memory.mask.unsqueeze(1), 0.0)
            choice = Choice(log_probs.gather(-1, positions).squeeze(-1), -plogp.sum(dim=-1))
        else:
            positions = log_probs.argmax(dim=-1, keepdim=True)
        weights = torch.zeros_like(log_probs).scatter(-1, positions, 1.0)
        return Attended(memory.values.take_along_dim(positions, dim=1), weights, choice=choice)
