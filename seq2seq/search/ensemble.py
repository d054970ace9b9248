"""An ensemble: several models that score the next token together, behind the protocol that search knows of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from torch import Tensor

from seq2seq.search.protocol import SearchState, StepModel

#: How members are combined.
Combination = Literal["log-linear", "linear"]


@dataclass(frozen=True)
class EnsembleState:
    """The states of all members, a :class:`~seq2seq.search.protocol.SearchState` itself."""

    members: tuple[SearchState, ...]

    def reorder(self, rows: Tensor) -> EnsembleState:
        """Continue hypotheses in every member; `rows` is a LongTensor [new_rows]."""
        return EnsembleState(tuple(member.reorder(rows) for member in self.members))

    def keep(self, sentences: Tensor) -> EnsembleState:
        """Keep these sentences in every member; `sentences` is a LongTensor [kept]."""
        return EnsembleState(tuple(member.keep(sentences) for member in self.members))


@final
class Ensemble:
    r"""Models over one target vocabulary as one :class:`~seq2seq.search.protocol.StepModel`.

    With weights w that sum to 1, of the members' probabilities p:

    - `log-linear`: :math:`\log p = \sum_i w_i \log p_i`, renormalised over the vocabulary (the geometric mean; a member
      that is sure that a token is wrong rules it out);
    - `linear`: :math:`p = \sum_i w_i p_i` (the arithmetic mean; a member that is sure of a token carries it).

    Both are computed at every step from log-probabilities in float32.
    """

    def __init__(
        self,
        members: Sequence[StepModel[Any]],
        *,
        combination: Combination = "log-linear",
        weights: Sequence[float] | None = None,
        attending: Sequence[int] | None = None,
    ) -> None:
        """Put it together.

        Args:
            members: one or more.
            combination: how their probabilities are combined.
            weights: one per member, above 0; they are divided by their sum. By default all are equal.
            attending: places of the members whose attention weights are averaged, by their weights: those that read
                the same source pieces. By default all. A member without attention is passed over.

        Raises:
            ValueError: there is no member, or the weights are not one positive number for each.
        """
        if not members:
            raise ValueError("an ensemble needs a member")
        weights = [1.0] * len(members) if weights is None else list(weights)
        if len(weights) != len(members) or not all(0.0 < weight < math.inf for weight in weights):
            raise ValueError(f"an ensemble of {len(members)} needs as many weights above 0, not {weights}")
        total = math.fsum(weights)
        self.members = tuple(members)
        self.combination: Combination = combination
        self.weights = tuple(weight / total for weight in weights)
        self.attending = tuple(range(len(members)) if attending is None else attending)

    def step(self, tokens: Tensor, state: EnsembleState) -> tuple[Tensor, EnsembleState, Tensor | None]:
        """Let every member read `tokens` [rows] and combine what they say; see the class."""
        outputs = [member.step(tokens, each) for member, each in zip(self.members, state.members, strict=True)]
        log_probs = self.combine([output[0].float() for output in outputs])
        attention = self._attention([output[2] for output in outputs])
        return log_probs, EnsembleState(tuple(output[1] for output in outputs)), attention

    def combine(self, log_probs: Sequence[Tensor]) -> Tensor:
        """Log-probabilities [..., vocab] of the ensemble from those of its members; none is above 0."""
        if len(log_probs) == 1:
            return log_probs[0]
        if self.combination == "linear":
            mixed = log_probs[0] + math.log(self.weights[0])
            for weight, each in zip(self.weights[1:], log_probs[1:], strict=True):
                mixed = torch.logaddexp(mixed, each + math.log(weight))
            return mixed.clamp_(max=0.0)  # a sum that rounding left above 1
        mixed = log_probs[0] * self.weights[0]
        for weight, each in zip(self.weights[1:], log_probs[1:], strict=True):
            mixed.add_(each, alpha=weight)
        # Where the members rule out everything between them there is nothing to normalise, and the search says so.
        possible = (mixed > -torch.inf).any(dim=-1, keepdim=True)
        return torch.where(possible, mixed.log_softmax(dim=-1), mixed)

    def _attention(self, weights: Sequence[Tensor | None]) -> Tensor | None:
        """The weighted mean [rows, src_len] of the attention weights of the members that are attending."""
        found = [
            (self.weights[place], attention) for place in self.attending if (attention := weights[place]) is not None
        ]
        if not found:
            return None
        width = max(attention.shape[1] for _, attention in found)
        total = math.fsum(weight for weight, _ in found)
        # A member may have left columns out that only padding is in.
        padded = [(weight / total, _padded(attention.float(), width)) for weight, attention in found]
        mean = padded[0][1] * padded[0][0]
        for weight, attention in padded[1:]:
            mean.add_(attention, alpha=weight)
        return mean


def _padded(attention: Tensor, width: int) -> Tensor:
    """`attention` with columns of zeros behind it, [rows, width]."""
    return torch.nn.functional.pad(attention, (0, width - attention.shape[1]))
