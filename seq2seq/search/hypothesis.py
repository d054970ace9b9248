"""The result of a search."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Hypothesis:
    """One translation in token ids, and what the model thinks of it.

    A finished hypothesis has n = len(ids) + 1 tokens: its end of sentence counts, though ``ids`` does not show it. One
    that was cut off at its sentence's maximum length has n = len(ids).
    """

    ids: list[int]
    """Token ids without beginning and end of sentence."""

    log_prob: float
    """Natural logarithm of the probability of all n tokens."""

    score: float
    """``log_prob / n ** length_penalty``; higher is better."""

    finished: bool
    """Whether the model ended it, rather than the maximum length."""

    token_log_probs: list[float]
    """Log-probability of each of the n tokens; they sum to ``log_prob``."""

    attention: Tensor | None = field(default=None, compare=False, repr=False)
    """Attention weights of each of the n tokens, float [n, src_len] on the CPU, columns of padding included."""
