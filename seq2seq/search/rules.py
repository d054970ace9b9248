"""What hypotheses may not contain, and what they must begin with; decided token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

#: In place of a token where there is none.
NO_TOKEN = -1


@final
@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which tokens may follow which; by default all.

    What a rule excludes gets the log-probability -inf; others keep theirs, so that scores remain the model's. A search
    that has excluded everything but the end of sentence ends there. Where rules contradict each other, `prefix` wins.

    Attributes:
        forbidden: LongTensor [ids], never generated.
        min_lengths: LongTensor [sentences], or None: tokens of a hypothesis at least, its end of sentence counted. A
            sentence's maximum length ends it all the same.
        no_repeat_ngram: no sequence of so many tokens occurs twice in a hypothesis; 0 allows all.
        prefix: LongTensor [sentences, longest], or None: what the hypotheses of a sentence begin with, NO_TOKEN behind
            the shorter ones. Its tokens may be forbidden ones.
        avoided: LongTensor [sentences, phrases, longest], or None: sequences of tokens that hypotheses do not contain,
            each in the last places of its row and NO_TOKEN before it; a phrase of NO_TOKEN alone is none.
    """

    forbidden: Tensor
    min_lengths: Tensor | None = None
    no_repeat_ngram: int = 0
    prefix: Tensor | None = None
    avoided: Tensor | None = None

    @property
    def read_tokens(self) -> bool:
        """Whether what may follow depends on the tokens before."""
        return self.no_repeat_ngram > 0 or self.avoided is not None

    def repeated(self, times: int) -> Rules:
        """The same for every sentence so many times, one after the other."""

        def each(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.repeat_interleave(times, dim=0)

        return replace(self, min_lengths=each(self.min_lengths), prefix=each(self.prefix), avoided=each(self.avoided))

    def apply(
        self, log_probs: Tensor, *, sentences: Tensor, length: int | Tensor, so_far: Tensor | None, eos_id: int
    ) -> Tensor:
        """Exclude what may not follow, in place.

        Args:
            log_probs: [rows, vocab], float32; changed.
            sentences: LongTensor [active], of the sentences that the rows belong to, the same number of rows each.
            length: tokens of the hypotheses when one more is appended; a tensor [1] will do where there is no `prefix`.
            so_far: LongTensor [rows, length - 1], the tokens so far; needed where :attr:`read_tokens` is true.
            eos_id: the end of sentence.

        Returns:
            `log_probs`.
        """
        forced = self._forced(log_probs, sentences, length)
        log_probs.index_fill_(1, self.forbidden, -torch.inf)
        by_sentence = log_probs.view(sentences.shape[0], -1, log_probs.shape[1])  # [active, width, vocab]
        if self.min_lengths is not None:
            too_short = (self.min_lengths[sentences] > length)[:, None]
            by_sentence[:, :, eos_id].masked_fill_(too_short, -torch.inf)
        if so_far is not None and self.no_repeat_ngram:
            _exclude_repetitions(log_probs, so_far, self.no_repeat_ngram)
        if so_far is not None and self.avoided is not None:
            _exclude_phrases(by_sentence, so_far.view(*by_sentence.shape[:2], -1), self.avoided[sentences])
        if forced is not None:
            tokens, values = forced
            excluded = (tokens != NO_TOKEN)[:, None, None]
            by_sentence.masked_fill_(excluded, -torch.inf)
            places = tokens.clamp(min=0)[:, None, None].expand(*by_sentence.shape[:2], 1)
            by_sentence.scatter_(2, places, torch.where(excluded, values, by_sentence.gather(2, places)))
        return log_probs

    def _forced(self, log_probs: Tensor, sentences: Tensor, length: int | Tensor) -> tuple[Tensor, Tensor] | None:
        """The token that is the next one of every sentence, [active], and its log-probabilities [active, width, 1]."""
        if self.prefix is None or length > self.prefix.shape[1]:
            return None
        tokens = self.prefix[sentences, length - 1]
        by_sentence = log_probs.view(sentences.shape[0], -1, log_probs.shape[1])
        places = tokens.clamp(min=0)[:, None, None].expand(*by_sentence.shape[:2], 1)
        return tokens, by_sentence.gather(2, places)


def _exclude_repetitions(log_probs: Tensor, so_far: Tensor, size: int) -> None:
    """Exclude from `log_probs` [rows, vocab] what would end a sequence of `size` tokens that `so_far` has already."""
    length = so_far.shape[1]
    if length < size:
        return
    windows = so_far.unfold(1, size, 1)  # [rows, length - size + 1, size]
    recent = so_far[:, length - size + 1 :]  # [rows, size - 1]
    repeated = (windows[:, :, :-1] == recent[:, None, :]).all(dim=2)
    rows, places = repeated.nonzero(as_tuple=True)
    log_probs[rows, windows[rows, places, -1]] = -torch.inf


def _exclude_phrases(log_probs: Tensor, so_far: Tensor, phrases: Tensor) -> None:
    """Exclude from `log_probs` [active, width, vocab] what would end one of `phrases` [active, phrases, longest].

    `so_far` is [active, width, length - 1].
    """
    longest = phrases.shape[2]
    before = phrases[:, None, :, :-1]  # [active, 1, phrases, longest - 1]
    missing = max(longest - 1 - so_far.shape[2], 0)
    recent = torch.nn.functional.pad(so_far, (missing, 0), value=NO_TOKEN)
    recent = recent[:, :, None, recent.shape[2] - (longest - 1) :]  # [active, width, 1, longest - 1]
    last = phrases[:, None, :, -1]  # [active, 1, phrases]
    ends = ((before == recent) | (before == NO_TOKEN)).all(dim=3) & (last != NO_TOKEN)  # [active, width, phrases]
    active, rows, which = ends.nonzero(as_tuple=True)
    log_probs[active, rows, phrases[active, which, -1]] = -torch.inf


def phrases_of(sentences: Sequence[Sequence[Sequence[int]]], *, device: torch.device) -> Tensor:
    """Phrases of every sentence, in ids, as the tensor that :attr:`Rules.avoided` is; empty ones are left out."""
    kept = [[list(phrase) for phrase in phrases if phrase] for phrases in sentences]
    longest = max((len(phrase) for phrases in kept for phrase in phrases), default=1)
    most = max([1, *map(len, kept)])  # a place for none
    rows = [
        [[NO_TOKEN] * (longest - len(phrase)) + phrase for phrase in phrases]
        + [[NO_TOKEN] * longest] * (most - len(phrases))
        for phrases in kept
    ]
    return torch.tensor(rows, dtype=torch.long, device=device).view(len(kept), most, longest)


def prefixes_of(sentences: Sequence[Sequence[int]], *, device: torch.device) -> Tensor:
    """Prefixes of every sentence, in ids, as the tensor that :attr:`Rules.prefix` is."""
    longest = max((len(prefix) for prefix in sentences), default=0)
    rows = [[*prefix, *[NO_TOKEN] * (longest - len(prefix))] for prefix in sentences]
    return torch.tensor(rows, dtype=torch.long, device=device).view(len(rows), longest)
