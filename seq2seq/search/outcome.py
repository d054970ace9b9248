"""What a step of a beam leaves behind: hypotheses that have ended, and those cut off at the maximum length."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq.search.history import Endings
from seq2seq.search.scoring import Scoring
from seq2seq.search.selection import Continuations


@dataclass(frozen=True)
class CutOff:
    """The hypotheses alive at their sentence's maximum length, [active, beam]; -inf where there is none, or not yet."""

    log_probs: Tensor
    covered: Tensor

    @classmethod
    def none(cls, *, sentences: int, beam: int, device: torch.device) -> CutOff:
        """Nothing yet."""
        return cls(
            torch.full((sentences, beam), -torch.inf, device=device), torch.zeros(sentences, beam, device=device)
        )

    def where(self, at_limit: Tensor, live: Tensor, covered: Tensor | None) -> CutOff:
        """With the `live` hypotheses of the sentences that are `at_limit`, [active]."""
        now = at_limit[:, None]
        return CutOff(
            torch.where(now, live, self.log_probs),
            self.covered if covered is None else torch.where(now, covered, self.covered),
        )

    def select(self, sentences: Tensor) -> CutOff:
        """Those of these sentences, LongTensor [chosen]."""
        return CutOff(self.log_probs[sentences], self.covered[sentences])

    def fill(self, endings: Endings, scoring: Scoring, max_lengths: Tensor) -> Endings:
        """`endings`, with these in its empty places."""
        lengths = max_lengths[:, None].expand_as(self.log_probs)
        unfinished = Endings(
            scores=scoring.score(self.log_probs, lengths, self.covered),
            log_probs=self.log_probs,
            lengths=lengths,
            slots=torch.arange(self.log_probs.shape[1], device=self.log_probs.device).expand_as(self.log_probs),
            finished=torch.zeros_like(self.log_probs, dtype=torch.bool),
        )
        return endings.join(unfinished).filled_first(endings.scores.shape[1])


def finished(ends: Continuations, scoring: Scoring, length: int | Tensor, covered: Tensor | None) -> Endings:
    """The hypotheses that end at this step, as endings [active, beam]."""
    return Endings(
        scores=scoring.score(ends.log_probs, length, of_parents(covered, ends.parents)),
        log_probs=ends.log_probs,
        lengths=torch.zeros_like(ends.parents) + (length - 1),
        slots=ends.parents,
        finished=torch.ones_like(ends.parents, dtype=torch.bool),
    )


def of_parents(covered: Tensor | None, parents: Tensor) -> Tensor | None:
    """What the parents [active, beam] have covered, of that of all rows [active, width]."""
    return None if covered is None else covered.gather(1, parents)
