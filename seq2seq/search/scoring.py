"""How hypotheses of different lengths are compared: normalisation by length, penalties, and what bounds a score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import torch
from torch import Tensor

#: What a log-probability is divided by: a power of the length, or GNMT's form of it.
Normalization = Literal["power", "gnmt"]

#: When a sentence is done: when nothing better can be found, or when that is unlikely.
Stopping = Literal["exact", "heuristic"]

#: A log-probability, or many of them.
Number = TypeVar("Number", float, Tensor)

#: A source position that was never looked at counts as looked at this much: a hard attention leaves others at 0.
_LEAST_COVERAGE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Scoring:
    r"""How a finished hypothesis y of n tokens, its end of sentence counted, is scored.

    .. math::
        s(y) = \frac{\log p(y)}{d(n)} - w n + c \sum_i \log \min\Bigl(\max\bigl(\sum_j a_{ij}, 0.001\bigr), 1\Bigr)

    with the attention weights :math:`a_{ij}` of source position i at the token j; the source's end is no position.

    Attributes:
        length_penalty: the power :math:`\alpha` of the divisor d; 0 compares log-probabilities, which favours short
            hypotheses, 1 with `power` means per token.
        normalization: `power`, :math:`d(n) = n^\alpha`; `gnmt`, :math:`d(n) = ((5 + n) / 6)^\alpha` (Wu et al. 2016,
            equation 14).
        word_penalty: w, taken off for every token; a negative one makes translations longer.
        coverage_penalty: c, the weight of GNMT's coverage (Wu et al. 2016, equation 14; there a weight beta): source
            positions that get little attention cost something. Needs attention.
        stopping: what bounds the score that a hypothesis can still get. `exact`: nothing that it can become scores
            higher, up to its maximum length. `heuristic`: nothing that it becomes by one more token does, which
            longer ones rarely exceed, since a mean per token seldom rises.

    Raises:
        ValueError: a number that is not finite, or a length or coverage penalty below 0, which no exact stopping rule
            could be made for.
    """

    length_penalty: float = 1.0
    normalization: Normalization = "power"
    word_penalty: float = 0.0
    coverage_penalty: float = 0.0
    stopping: Stopping = "exact"

    def __post_init__(self) -> None:
        for name in ("length_penalty", "coverage_penalty"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ValueError(f"{name} must be a finite number of at least 0, not {value}")
        if not math.isfinite(self.word_penalty):
            raise ValueError(f"word_penalty must be a finite number, not {self.word_penalty}")

    def score(self, log_probs: Number, lengths: int | Tensor, covered: Tensor | None = None) -> Number:
        """Score hypotheses of `lengths` tokens, the end of sentence counted; -inf stays -inf. Shapes broadcast.

        `covered` is the sum of logarithms in the formula, :func:`log_coverage`; None leaves that term out.
        """
        if isinstance(lengths, Tensor):
            lengths = lengths.to(torch.float32)
        scores: Any = log_probs if self.length_penalty == 0.0 else log_probs / self._divisor(lengths)
        if self.word_penalty:
            scores = scores - self.word_penalty * lengths
        if self.coverage_penalty and covered is not None:
            scores = scores + self.coverage_penalty * covered
        return cast(Number, scores)

    def best_reachable(self, log_probs: Tensor, *, length: int | Tensor, max_lengths: Tensor) -> Tensor:
        """Bound the score of all that hypotheses of `length` tokens can still become, at most `max_lengths` long.

        Further tokens only lower a log-probability, which is at most 0, and dividing it by more brings it nearer to 0:
        so no continuation's first term is above the present log-probability divided by the largest divisor. The
        word penalty of a continuation lies between those of `length` + 1 and of `max_lengths`, and coverage adds at
        most 0. The shapes of `log_probs` and `max_lengths` broadcast.

        With heuristic :attr:`stopping` it is the bound of what they become by one more token.
        """
        limits = max_lengths.to(log_probs.dtype)
        if self.stopping == "heuristic":
            limits = limits.clamp(max=length + 1)
        bound = log_probs if self.length_penalty == 0.0 else log_probs / self._divisor(limits)
        if self.word_penalty:
            shortest = torch.minimum(torch.zeros_like(limits) + (length + 1), limits)
            bound = bound - self.word_penalty * (shortest if self.word_penalty > 0.0 else limits)
        return bound

    def _divisor(self, lengths: int | Tensor) -> float | Tensor:
        base = (lengths + 5.0) / 6.0 if self.normalization == "gnmt" else lengths
        return cast("float | Tensor", base if self.length_penalty == 1.0 else base**self.length_penalty)


def log_coverage(attention: Tensor, source_lengths: Tensor) -> Tensor:
    """The sum of logarithms in :class:`Scoring`.

    Args:
        attention: weights [sentences, beam, src_len], summed over the tokens of each hypothesis.
        source_lengths: [sentences], of the source without its end; further columns are not looked at.

    Returns:
        [sentences, beam], at most 0.
    """
    real = torch.arange(attention.shape[2], device=attention.device) < source_lengths[:, None]  # [sentences, src_len]
    logarithms = attention.clamp(_LEAST_COVERAGE, 1.0).log()
    return logarithms.masked_fill(~real[:, None, :], 0.0).sum(dim=2)
