"""Which tokens may be sampled: those that are probable enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Truncation:
    """How a next token's distribution is changed before a token is drawn from it; the parts apply in this order.

    Attributes:
        temperature: probabilities to the power 1 / temperature; below 1 the distribution becomes sharper.
        top_k: keep the most probable tokens, so many; None keeps all. Of equal ones at the edge all are kept.
        top_p: keep the most probable tokens whose probabilities reach this sum (Holtzman et al. 2020); 1 keeps all.
        epsilon: keep tokens of at least this probability (Hewitt et al. 2022); 0 keeps all.

    The most probable token is always kept. What is left is normalised.

    Raises:
        ValueError: a value that makes no sense.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0.0):
            raise ValueError(f"temperature must be a finite number above 0, not {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be at least 1, not {self.top_k}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must lie above 0 and not above 1, not {self.top_p}")
        if not 0.0 <= self.epsilon < 1.0:
            raise ValueError(f"epsilon must be at least 0 and below 1, not {self.epsilon}")

    def weights(self, log_probs: Tensor) -> Tensor:
        """Weights, proportional to probabilities, of `log_probs` [rows, vocab], float32; 0 for what is not kept."""
        if self.temperature != 1.0:
            highest = log_probs.amax(dim=1, keepdim=True).clamp_min(torch.finfo(log_probs.dtype).min)
            log_probs = (log_probs - highest) / self.temperature
        if self.top_k is not None and self.top_k < log_probs.shape[1]:
            least = log_probs.topk(self.top_k, dim=1).values[:, -1:]
            log_probs = log_probs.masked_fill(log_probs < least, -torch.inf)
        weights = log_probs.exp()
        if self.top_p < 1.0:
            ordered, places = weights.sort(dim=1, descending=True, stable=True)
            before = ordered.cumsum(dim=1) - ordered
            left_out = before >= self.top_p * ordered.sum(dim=1, keepdim=True)
            left_out[:, 0] = False
            weights = weights.masked_fill(left_out.gather(1, places.argsort(dim=1)), 0.0)
        if self.epsilon:
            likeliest = weights.amax(dim=1, keepdim=True)
            too_few = weights < self.epsilon * weights.sum(dim=1, keepdim=True)
            weights = weights.masked_fill(too_few & (weights < likeliest), 0.0)
        return weights
