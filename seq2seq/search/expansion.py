"""From scored tokens to the hypotheses of the next step: those that end here and those that go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from seq2seq.search.selection import Continuations, best_continuations
from seq2seq.search.waiting import any_true, looking_waits


@dataclass(frozen=True)
class Expanded:
    """One step of a beam; places that hold nothing have the log-probability -inf."""

    ends: Continuations | None
    """Those that an end of sentence finishes, [active, beam]; None may stand for none at all."""
    going_on: Continuations
    """Those that go on, [active, beam]."""
    met: Tensor | None = None
    """Which of their sentence's phrases those that go on contain, bool [active, beam, phrases], where some must."""


class Expansion(Protocol):
    """How the next step's hypotheses are chosen."""

    def __call__(
        self, log_probs: Tensor, live: Tensor, *, sentences: Tensor, so_far: Tensor | None, met: Tensor | None
    ) -> Expanded:
        """Choose among all continuations of the live hypotheses.

        Args:
            log_probs: of the next token, float32 [active * width, vocab], -inf for what may not follow.
            live: log-probabilities of the hypotheses, [active, width], -inf where there is none.
            sentences: LongTensor [active], which sentences they are.
            so_far: LongTensor [active * width, length], their tokens, where the search keeps them.
            met: what the last step gave as :attr:`Expanded.met`, for these hypotheses; None at the first step.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class BestExpansion:
    """The best by log-probability: of the first 2 * `beam`, the ends among the first `beam`, and `beam` others."""

    beam: int
    eos_id: int

    def __call__(
        self, log_probs: Tensor, live: Tensor, *, sentences: Tensor, so_far: Tensor | None, met: Tensor | None
    ) -> Expanded:
        """See :class:`Expansion`."""
        drawn = best_continuations(log_probs, live, 2 * self.beam)
        if not looking_waits(live.device) and not any_true(drawn.tokens == self.eos_id):
            return Expanded(None, drawn.first(self.beam))
        return Expanded(*parted(drawn, beam=self.beam, eos_id=self.eos_id))


def parted(drawn: Continuations, *, beam: int, eos_id: int) -> tuple[Continuations, Continuations]:
    """Part continuations [active, 2 * beam], in order: ends among the first `beam`, and the first `beam` others."""
    is_end = drawn.tokens == eos_id
    # A stable sort of "is an end" leaves the others in front, in their order.
    others = is_end.sort(dim=1, stable=True).indices[:, :beam]
    return drawn.without(~is_end).first(beam), drawn.without(is_end).gather(others)


@dataclass(frozen=True, kw_only=True)
class DiverseExpansion:
    """Diverse beam search (Vijayakumar et al. 2018), with the Hamming distance of one step.

    `groups` beams of `beam` hypotheses each, which the search treats as so many sentences: those of a sentence follow
    one another. They are chosen one after the other, and a token counts `strength` less for every time that the groups
    before have just chosen it. That decides what is chosen alone; hypotheses keep their log-probabilities.
    """

    groups: int
    beam: int
    strength: float
    eos_id: int

    def __call__(
        self, log_probs: Tensor, live: Tensor, *, sentences: Tensor, so_far: Tensor | None, met: Tensor | None
    ) -> Expanded:
        """See :class:`Expansion`."""
        width, vocab = live.shape[1], log_probs.shape[1]
        scores = log_probs.view(-1, self.groups, width, vocab)
        alive = live.view(-1, self.groups, width)
        chosen_before = scores.new_zeros(scores.shape[0], vocab)
        parts = []
        for group in range(self.groups):
            own = scores[:, group]  # [active, width, vocab]
            penalised = (own - self.strength * chosen_before[:, None, :]).flatten(0, 1)
            drawn = best_continuations(penalised, alive[:, group], 2 * self.beam).with_log_probs(own, alive[:, group])
            parts.append(parted(drawn, beam=self.beam, eos_id=self.eos_id))
            _, chosen = parts[-1]
            chosen_before.scatter_add_(1, chosen.tokens, (chosen.log_probs > -torch.inf).to(chosen_before.dtype))
        return Expanded(
            Continuations.interleaved([ends for ends, _ in parts]),
            Continuations.interleaved([going_on for _, going_on in parts]),
        )
