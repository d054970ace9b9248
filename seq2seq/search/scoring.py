"""Length normalisation: how hypotheses of different lengths are compared."""

from __future__ import annotations

import math

from torch import Tensor


def check_length_penalty(length_penalty: float) -> None:
    """Raise ValueError unless ``length_penalty`` is a finite number of at least 0: the stopping rule relies on it."""
    if not (math.isfinite(length_penalty) and length_penalty >= 0.0):
        raise ValueError(f"length_penalty must be a finite number of at least 0, not {length_penalty}")


def normalise(log_probs: Tensor, *, length: int, length_penalty: float) -> Tensor:
    """Score hypotheses of ``length`` tokens, the end of sentence counted: ``log_prob / length ** length_penalty``.

    0 compares log-probabilities, which favours short hypotheses; 1 compares means per token. The shape of
    ``log_probs`` is kept, -inf stays -inf.
    """
    return log_probs if length_penalty == 0.0 else log_probs / float(length) ** length_penalty


def best_reachable(log_probs: Tensor, *, max_lengths: Tensor, length_penalty: float) -> Tensor:
    """Bound the score of everything that hypotheses with ``log_probs`` can still become, at most ``max_lengths`` long.

    Further tokens only lower a log-probability, and dividing a number below 0 by more brings it nearer to 0: so no
    continuation scores above the present log-probability divided by the largest divisor. Shapes broadcast.
    """
    return log_probs if length_penalty == 0.0 else log_probs / max_lengths.to(log_probs.dtype) ** length_penalty
