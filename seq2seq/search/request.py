"""What a search is asked for, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from seq2seq.search.constraints import Phrases
from seq2seq.search.rules import Rules
from seq2seq.search.scoring import Scoring


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """Diverse beam search (Vijayakumar et al. 2018): the beam in `groups` that differ from each other.

    `strength`: how much less a token counts for every group before that has chosen it at the same step, in natural
    logarithms; 0.5 or so.

    Raises:
        ValueError: fewer than two groups, or a strength that is not above 0.
    """

    groups: int
    strength: float = 0.5

    def __post_init__(self) -> None:
        if self.groups < 2:
            raise ValueError(f"diverse beam search needs at least 2 groups, not {self.groups}")
        if not (math.isfinite(self.strength) and self.strength > 0.0):
            raise ValueError(
                f"the strength of diverse beam search must be a finite number above 0, not {self.strength}"
            )


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a search looks for, of sentences that are searched together.

    Attributes:
        max_lengths: LongTensor [sentences], on the model's device: tokens of a hypothesis at most, its end of sentence
            counted.
        bos_id: begins every hypothesis and is never generated.
        eos_id: ends it.
        beam: hypotheses kept alive per sentence; samples, of a search that samples.
        n_best: hypotheses returned per sentence, at most `beam`.
        scoring: how they are compared.
        rules: what hypotheses may contain. Its `forbidden` should hold `bos_id`, padding and the unknown token; see
            :func:`excluding`.
        diversity: groups of a diverse beam search, into which `beam` must divide.
        constraints: phrases that hypotheses must contain.
        source_lengths: LongTensor [sentences], of the source without its end; needed with a coverage penalty.
        with_attention: whether hypotheses carry their attention weights.

    Raises:
        ValueError: a request that no search can fulfil.
    """

    max_lengths: Tensor
    bos_id: int
    eos_id: int
    rules: Rules
    beam: int = 1
    n_best: int = 1
    scoring: Scoring = field(default_factory=Scoring)
    diversity: Diversity | None = None
    constraints: Phrases | None = None
    source_lengths: Tensor | None = None
    with_attention: bool = False

    def __post_init__(self) -> None:
        if self.beam < 1:
            raise ValueError(f"beam must be at least 1, not {self.beam}")
        if not 1 <= self.n_best <= self.beam:
            raise ValueError(f"n_best must lie between 1 and beam ({self.beam}), not {self.n_best}")
        lengths = self.max_lengths
        if lengths.dim() != 1 or lengths.is_floating_point():
            raise ValueError(f"max_lengths must be integers of shape [sentences], not {list(lengths.shape)}")
        if self.sentences and int(lengths.min()) < 1:
            raise ValueError("max_lengths must be at least 1")
        if self.diversity is not None and self.beam % self.diversity.groups:
            raise ValueError(f"a beam of {self.beam} cannot be divided into {self.diversity.groups} equal groups")
        if self.diversity is not None and self.constraints is not None:
            raise ValueError("diverse beam search and phrases that must appear cannot be had together")
        if self.scoring.coverage_penalty and self.source_lengths is None:
            raise ValueError("a coverage penalty needs source_lengths")

    @property
    def sentences(self) -> int:
        """How many sentences are searched."""
        return self.max_lengths.shape[0]

    @property
    def device(self) -> torch.device:
        """The model's device."""
        return self.max_lengths.device

    @property
    def reads_tokens(self) -> bool:
        """Whether the search must know the tokens of live hypotheses."""
        return self.rules.read_tokens or self.constraints is not None

    def repeated(self, groups: int) -> Request:
        """The same for every sentence `groups` times, with as many times fewer hypotheses each, all to be returned."""
        lengths = self.source_lengths
        return replace(
            self,
            max_lengths=self.max_lengths.repeat_interleave(groups),
            rules=self.rules.repeated(groups),
            beam=self.beam // groups,
            n_best=self.beam // groups,
            diversity=None,
            source_lengths=None if lengths is None else lengths.repeat_interleave(groups),
        )


def excluding(forbidden_ids: Sequence[int], *, bos_id: int, eos_id: int, device: torch.device) -> Tensor:
    """The ids that no hypothesis may contain: `forbidden_ids` and `bos_id`, but never `eos_id`.

    Even a tokenizer without padding, which names the end twice, can then end its sentences.
    """
    return torch.tensor(sorted({bos_id, *forbidden_ids} - {eos_id}), dtype=torch.long, device=device)
