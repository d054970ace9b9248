"""Phrases that a hypothesis must contain: beam search with lexical constraints, all sentences of a batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq.search.expansion import Expanded, parted
from seq2seq.search.rules import NO_TOKEN
from seq2seq.search.selection import Continuations, best_continuations


@dataclass(frozen=True)
class Phrases:
    """Phrases of every sentence; `tokens` is a LongTensor [sentences, phrases, longest].

    Each phrase stands in the last places of its row, NO_TOKEN before it; a row of NO_TOKEN alone is no phrase. This is
    what :func:`~seq2seq.search.rules.phrases_of` makes.
    """

    tokens: Tensor

    @property
    def lengths(self) -> Tensor:
        """Tokens of every phrase, [sentences, phrases]; 0 for no phrase."""
        return (self.tokens != NO_TOKEN).sum(dim=2)

    def beginnings(self) -> Tensor:
        """The first l tokens of every phrase, for every l from 1: [sentences, phrases, longest, longest].

        As the phrases themselves each stands in the last places of its row; the row of an l that the phrase does not
        have is of NO_TOKEN alone.
        """
        longest = self.tokens.shape[2]
        places = torch.arange(longest, device=self.tokens.device)
        sizes = places[:, None] + 1  # [longest, 1]
        lengths = self.lengths[:, :, None, None]  # [sentences, phrases, 1, 1]
        # Place j of the row of l holds token j - (longest - l), from 0, of a phrase that begins at longest - length.
        number = places - (longest - sizes)  # [longest, longest]
        index = (longest - lengths + number).clamp(0, longest - 1)
        rows = self.tokens[:, :, None, :].expand(*self.tokens.shape[:2], longest, longest).gather(3, index)
        return rows.masked_fill((number < 0) | (sizes > lengths), NO_TOKEN)


class ConstrainedExpansion:
    """Dynamic beam allocation (Post and Vilar 2018), vectorised (Hu et al. 2019).

    Candidates are the best continuations, the best one of every hypothesis, and of every hypothesis the next token of
    every phrase that it lacks. They fall into banks by the number of tokens of phrases that they contain; the beam is
    filled with the best of every bank, those of fuller banks first, then with the second best of every bank, and so on.
    No hypothesis ends before it contains all phrases of its sentence. A sentence without phrases has one bank, and so
    an ordinary beam.

    Phrases are found anywhere in a hypothesis, by their tokens; they may overlap.
    """

    def __init__(self, *, phrases: Phrases, beam: int, eos_id: int) -> None:
        self._phrases = phrases.tokens
        self._beginnings = phrases.beginnings()
        self._lengths = phrases.lengths
        self._beam = beam
        self._eos_id = eos_id

    def __call__(
        self, log_probs: Tensor, live: Tensor, *, sentences: Tensor, so_far: Tensor | None, met: Tensor | None
    ) -> Expanded:
        """See :class:`~seq2seq.search.expansion.Expansion`."""
        assert so_far is not None
        active, width = live.shape
        tails = self._tails(so_far).view(active, width, -1)
        if met is None:
            met = (self._lengths[sentences] == 0)[:, None, :].expand(active, width, -1)
        by_sentence = log_probs.view(active, width, -1)
        by_sentence[:, :, self._eos_id].masked_fill_(~met.all(dim=2), -torch.inf)

        candidates = self._candidates(by_sentence, live, tails, met, sentences)
        banks = self._banks(self._extended(candidates, tails), _of_parents(met, candidates.parents), sentences)
        chosen = _allocated(candidates.log_probs, banks, count=2 * self._beam)
        ends, going_on = parted(candidates.gather(chosen), beam=self._beam, eos_id=self._eos_id)
        whole = self._found(self._extended(going_on, tails), sentences)[1]
        return Expanded(ends, going_on, _of_parents(met, going_on.parents) | whole)

    def _candidates(
        self, log_probs: Tensor, live: Tensor, tails: Tensor, met: Tensor, sentences: Tensor
    ) -> Continuations:
        """Continuations of the three kinds, [active, candidates], each once, in the order of parents and tokens."""
        active, width, vocab = log_probs.shape
        best = best_continuations(log_probs.flatten(0, 1), live, 2 * self._beam)
        own = log_probs.argmax(dim=2)  # [active, width]
        # The next token of every phrase is the one behind what is begun of it, [active, width, phrases].
        begun = self._found(tails, sentences)[0]
        phrases = self._phrases[sentences][:, None].expand(-1, width, -1, -1)
        places = phrases.shape[3] - self._lengths[sentences][:, None, :] + begun
        following = phrases.gather(3, places.clamp(max=phrases.shape[3] - 1)[..., None]).squeeze(3)
        rows = torch.arange(width, device=live.device)
        parents = torch.cat(
            (best.parents, rows.expand_as(own), rows[:, None].expand_as(following[0]).flatten().expand(active, -1)),
            dim=1,
        )
        tokens = torch.cat((best.tokens, own, following.clamp(min=0).flatten(1)), dim=1)
        nothing = torch.cat(
            (best.log_probs == -torch.inf, torch.zeros_like(own, dtype=torch.bool), met.flatten(1)), dim=1
        )
        keys = (parents * vocab + tokens).masked_fill(nothing, width * vocab)
        keys, order = keys.sort(dim=1, stable=True)
        again = torch.zeros_like(nothing)
        again[:, 1:] = keys[:, 1:] == keys[:, :-1]
        unscored = torch.zeros_like(keys, dtype=torch.float32)
        candidates = Continuations(unscored, unscored, parents.gather(1, order), tokens.gather(1, order))
        return candidates.without(again | (keys == width * vocab)).with_log_probs(log_probs, live)

    def _tails(self, so_far: Tensor) -> Tensor:
        """The last tokens of `so_far` [rows, length], as many as the longest phrase has: [rows, longest]."""
        longest = self._phrases.shape[2]
        padded = torch.nn.functional.pad(so_far, (longest, 0), value=NO_TOKEN)
        return padded[:, padded.shape[1] - longest :]

    def _extended(self, continuations: Continuations, tails: Tensor) -> Tensor:
        """The last tokens of `continuations` [active, n], from those of their parents: [active, n, longest]."""
        of_parents = _of_parents(tails, continuations.parents)
        return torch.cat((of_parents, continuations.tokens[:, :, None]), dim=2)[:, :, 1:]

    def _found(self, tails: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        """What hypotheses end with, from their last tokens [active, n, longest].

        Returns:
            How many of the first tokens of every phrase, short of all, LongTensor [active, n, phrases]; whether all.
        """
        beginnings = self._beginnings[sentences][:, None]  # [active, 1, phrases, longest, longest]
        last = tails[:, :, None, None, :]  # [active, n, 1, 1, longest]
        matches = ((beginnings == NO_TOKEN) | (beginnings == last)).all(dim=4)  # [active, n, phrases, longest]
        sizes = torch.arange(1, tails.shape[2] + 1, device=tails.device)
        lengths = self._lengths[sentences][:, None, :, None]
        begun = (matches & (sizes < lengths)).long().mul_(sizes).amax(dim=3)
        return begun, (matches & (sizes == lengths)).any(dim=3)

    def _banks(self, tails: Tensor, met: Tensor, sentences: Tensor) -> Tensor:
        """How many tokens of phrases the continuations contain that end with `tails`, [active, n].

        All of the phrases that are met, and of the others those of the one that is begun furthest. `met` [active, n,
        phrases] is that of their parents.
        """
        begun, whole = self._found(tails, sentences)
        met = met | whole
        lengths = self._lengths[sentences][:, None, :]
        return (met * lengths).sum(dim=2) + begun.masked_fill(met, 0).amax(dim=2)


def _of_parents(tensor: Tensor, parents: Tensor) -> Tensor:
    """Of `tensor` [active, width, m] the rows of `parents` [active, n]: [active, n, m]."""
    return tensor.gather(1, parents[:, :, None].expand(-1, -1, tensor.shape[2]))


def _allocated(log_probs: Tensor, banks: Tensor, *, count: int) -> Tensor:
    """Places of the `count` candidates that fill the beam, of [active, candidates], as the class above says."""
    order = log_probs.sort(dim=1, descending=True, stable=True).indices
    banks = banks.gather(1, order)
    before = torch.ones(banks.shape[1], banks.shape[1], dtype=torch.bool, device=banks.device).tril(-1)
    rank = ((banks[:, :, None] == banks[:, None, :]) & before).sum(dim=2)  # within the bank, from 0
    fullest = banks.amax()
    key = rank * (fullest + 1) + (fullest - banks)
    key = key.masked_fill(log_probs.gather(1, order) == -torch.inf, torch.iinfo(key.dtype).max)
    return order.gather(1, key.sort(dim=1, stable=True).indices[:, :count])
