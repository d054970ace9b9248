"""Attention to a window of the source: monotonic and predictive (Luong et al. 2015, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2seq.nn.attention.protocol import Attended, AttentionState, Memory, no_state
from seq2seq.nn.attention.scores import ScoreName, make_score
from seq2seq.nn.attention.weighing import masked_softmax, read


def _check_window(window: int) -> None:
    if window < 1:
        raise ValueError(f"a window of {window} positions to each side is no window; it must be 1 at least")


def _distances(mask: Tensor, centres: Tensor) -> Tensor:
    """How far each position, counted from 1, is from the `centres` [batch, n]: [batch, n, src_len]."""
    positions = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    return positions - centres.unsqueeze(-1)


class LocalMonotonicAttention(nn.Module):
    """local-m: step t weighs the source positions from t - D to t + D, in `window` D, by a score of Luong et al.

    Positions and steps are counted from 1. Positions before the first or after the last of the sentence are left out of
    the window, as padding is; when the target grows longer than the source, the window stays about the last position.
    Outside the window weights are exactly 0, within they sum to 1.
    """

    sequential: bool = True

    def __init__(
        self, *, query_size: int, value_size: int, size: int, score: ScoreName, window: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        _check_window(window)
        self.output_size = value_size
        self.window = window
        self.dropout = dropout
        self.score = make_score(score, query_size=query_size, value_size=value_size, size=size)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value] with the keys of the score."""
        return Memory(values, self.score.keys(values), mask)

    def initial_state(self, memory: Memory, rows: int) -> AttentionState:
        """No step so far: the history is the number of steps, a LongTensor [rows]."""
        return AttentionState(torch.zeros(rows, dtype=torch.long, device=memory.mask.device))

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of one step of `queries` [batch, n, query]."""
        assert state is not None
        steps = state.history + 1
        lengths = memory.mask.sum(dim=1, keepdim=True)  # [batch, 1]
        centres = torch.minimum(steps.view(queries.shape[:2]), lengths)
        seen = memory.mask.unsqueeze(1) & (_distances(memory.mask, centres).abs() <= self.window)
        weights = masked_softmax(self.score(queries, memory.keys), seen)
        contexts = read(weights, memory.values, self.dropout, self.training)
        return Attended(contexts, weights, AttentionState(steps))


class LocalPredictiveAttention(nn.Module):
    r"""local-p: each query predicts the position p that its window is about (Luong et al. 2015, section 3.2).

    .. math::
        p = S \, \sigma(v \cdot \tanh(W q)), \quad
        a(s) = \mathrm{softmax}(\mathrm{score})(s) \exp\left(-\frac{(s - p)^2}{2 \sigma^2}\right), \quad \sigma = D/2

    for the positions s with \|s - p\| <= D, in `window` D; weights elsewhere are exactly 0. Positions are counted from
    1 and S is the number of real ones in each sentence, so p lies between 0 and S and a window is never empty. The
    softmax runs over the real positions of the window; after the factor, weights sum to 1 at most, and are not
    normalised again. The gradient reaches p through the factor alone.
    """

    sequential: bool = False
    initial_state = no_state

    def __init__(
        self, *, query_size: int, value_size: int, size: int, score: ScoreName, window: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        _check_window(window)
        self.output_size = value_size
        self.window = window
        self.dropout = dropout
        self.score = make_score(score, query_size=query_size, value_size=value_size, size=size)
        self.position = nn.Linear(query_size, size, bias=False)
        self.position_score = nn.Linear(size, 1, bias=False)

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Memory of `values` [batch, src_len, value] with the keys of the score."""
        return Memory(values, self.score.keys(values), mask)

    def forward(self, queries: Tensor, memory: Memory, state: AttentionState | None = None) -> Attended:
        """Contexts [batch, n, value] and weights [batch, n, src_len] of `queries` [batch, n, query]."""
        lengths = memory.mask.sum(dim=1, keepdim=True)  # [batch, 1]
        predicted = self.position_score(torch.tanh(self.position(queries))).squeeze(-1)  # [batch, n]
        wide = predicted.to(torch.promote_types(predicted.dtype, torch.float32))
        distances = _distances(memory.mask, lengths * torch.sigmoid(wide))
        seen = memory.mask.unsqueeze(1) & (distances.abs() <= self.window)
        factors = torch.exp(-2.0 * (distances / self.window) ** 2)  # 2 sigma^2 = D^2 / 2
        weights = masked_softmax(self.score(queries, memory.keys), seen) * factors
        return Attended(read(weights, memory.values, self.dropout, self.training), weights)
