"""Scoring of given pairs: targets read by teacher forcing, with the probabilities that a search would see."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from seq2seq.data.batch import Batch, make_batch
from seq2seq.device import in_parts_that_fit
from seq2seq.errors import UsageError
from seq2seq.members import Member
from seq2seq.scored import Scored
from seq2seq.search import Ensemble
from seq2seq.search.history import broken_model
from seq2seq.searching import scoring_of
from seq2seq.source_lines import Sentence, batches_by_length
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation_options import TranslationOptions, kind_of

#: Log-probabilities that are held at once, those of all members of an ensemble: 64 MiB of float32 on a CPU, 512 MiB
#: elsewhere. A batch whose targets have more of them is read in parts.
_MOST_NUMBERS, _MOST_NUMBERS_ON_DEVICE = 2**24, 2**27


@dataclass(frozen=True)
class _Pair:
    """A source and its target, cut into pieces; `word_of_piece` has for every target piece the index of its word."""

    source: Sentence
    words: list[str]
    ids: list[int]
    pieces: list[str]
    word_of_piece: list[int]

    @property
    def length(self) -> int:
        """Pieces of the longer side; 0 of a pair that no model needs to read, for its source has none."""
        return max(len(self.source.ids), len(self.ids)) if self.source.ids else 0


@final
class PairScorer:
    """A model, or an ensemble, ready to score pairs of lines. It holds no state of a call: threads may share it."""

    def __init__(
        self,
        *,
        members: Sequence[Member],
        ensemble: Ensemble,
        target_tokenizer: Tokenizer,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        """`ensemble` combines the `members`, in their order; a single model is an ensemble of one."""
        self._members = tuple(members)
        self._ensemble = ensemble
        self._target_tokenizer = target_tokenizer
        self._device = device
        self._dtype = dtype

    def score_chunks(
        self, chunks: Iterable[Sequence[tuple[str, str]]], options: TranslationOptions
    ) -> Iterator[list[Scored]]:
        """Score lists of pairs (source, target) one after the other, lazily.

        Of the options `length_penalty`, `batch_size` and `max_tokens` count.

        Raises:
            UsageError: a line is no text; pairs are counted from 1 through all chunks.
            DeviceError: a pair does not fit into the memory of the GPU.
            ModelError: the model gives no numbers.
        """
        first = 1
        for chunk in chunks:
            pairs = self._read(chunk, first=first)
            log_probs = self._log_probs(pairs, options)
            yield [self._scored(pair, found, options) for pair, found in zip(pairs, log_probs, strict=True)]
            first += len(chunk)

    def _log_probs(self, pairs: Sequence[_Pair], options: TranslationOptions) -> list[list[float]]:
        """Log-probabilities of every target's pieces and of its end, for every pair, in order."""
        results = [_of_empty_source(pair) for pair in pairs]
        # Pairs of like length on the longer side make a batch; where they agree in it, those of like targets.
        order = sorted(range(len(pairs)), key=lambda index: -len(pairs[index].ids))
        lengths = [pairs[index].length for index in order]
        for batch in batches_by_length(lengths, batch_size=options.batch_size, max_tokens=options.max_tokens):
            chosen = [order[place] for place in batch]
            found = in_parts_that_fit([pairs[index] for index in chosen], self._score_batch, too_large=self._too_large)
            for index, log_probs in zip(chosen, found, strict=True):
                results[index] = log_probs
        return results

    def _read(self, pairs: Sequence[tuple[str, str]], *, first: int) -> list[_Pair]:
        """Cut both sides into pieces; sources into those of the first member."""
        for number, pair in enumerate(pairs, start=first):
            for side, text in zip(("source", "target"), pair, strict=True):
                if not isinstance(text, str):
                    raise UsageError(f"the {side} of pair {number} is {kind_of(text)}, but a line must be text")
        sources = self._members[0].source_tokenizer.encode([source for source, _ in pairs])
        return [
            _Pair(Sentence(source, source_ids), target.split(), *self._target_tokenizer.words_of_pieces(target))
            for (source, target), source_ids in zip(pairs, sources, strict=True)
        ]

    def _too_large(self, pair: _Pair) -> str:
        return (
            f"a pair of {len(pair.source.ids)} source and {len(pair.ids)} target pieces does not fit into the memory "
            f"of {self._device}; leave it out, or use device cpu"
        )

    @torch.no_grad()
    def _score_batch(self, pairs: Sequence[_Pair]) -> list[list[float]]:
        """Log-probabilities of every target's pieces and of its end."""
        tokenizer, source_tokenizer = self._target_tokenizer, self._members[0].source_tokenizer
        sources = [pair.source for pair in pairs]
        batch = make_batch(
            [source.ids for source in sources],
            [pair.ids for pair in pairs],
            source_eos_id=source_tokenizer.eos_id,
            source_pad_id=source_tokenizer.pad_id,
            bos_id=tokenizer.bos_id,
            eos_id=tokenizer.eos_id,
            pad_id=tokenizer.pad_id,
        ).to(self._device)
        with torch.autocast(self._device.type, dtype=self._dtype, enabled=self._dtype is not torch.float32):
            first, *others = self._members
            states = [
                first.model.start(batch.source, batch.source_lengths),
                *(other.model.start(*other.source(sources, device=self._device)) for other in others),
            ]
            parts = []
            at_once = self._positions_at_once(batch)
            sides = (torch.split(side, at_once, dim=1) for side in (batch.target_in, batch.target_out))
            for target_in, target_out in zip(*sides, strict=True):
                log_probs = []
                for place, member in enumerate(self._members):
                    prediction, states[place] = member.model.read(target_in, states[place])
                    log_probs.append(prediction.log_probs())
                parts.append(_picked(self._ensemble.combine(log_probs), target_out))
        rows = torch.cat(parts, dim=1).tolist()
        return [row[: len(pair.ids) + 1] for row, pair in zip(rows, pairs, strict=True)]

    def _positions_at_once(self, batch: Batch) -> int:
        """Target positions of a batch that are read together, so that their predictions and attention fit."""
        width = max(self._target_tokenizer.vocabulary_size, batch.source.shape[1])
        most = _MOST_NUMBERS if self._device.type == "cpu" else _MOST_NUMBERS_ON_DEVICE
        return max(1, most // (len(self._members) * batch.size * width))

    def _scored(self, pair: _Pair, log_probs: list[float], options: TranslationOptions) -> Scored:
        log_prob = math.fsum(log_probs)
        if math.isnan(log_prob):
            raise broken_model("gives log-probabilities that are not numbers (NaN)")
        of_words = [0.0] * len(pair.words)
        for word, value in zip(pair.word_of_piece, log_probs[: len(pair.ids)], strict=True):
            if pair.words:
                of_words[word] += value
        return Scored(
            log_prob=log_prob,
            score=scoring_of(options).score(log_prob, max(1, len(log_probs))),
            pieces=tuple(pair.pieces),
            piece_log_probs=tuple(log_probs),
            words=tuple(pair.words),
            word_log_probs=tuple(of_words),
            unknown_pieces=pair.ids.count(self._target_tokenizer.unk_id),
            source_pieces=len(pair.source.ids),
        )


def pairs_of_lines(source: object, target: object) -> list[tuple[str, str]]:
    """The pairs (source, target) of two lines, or of two lists of lines.

    Raises:
        UsageError: the two are neither lines nor lists, not the same of them, or not of one length.
    """
    if isinstance(source, str) and isinstance(target, str):
        return [(source, target)]
    if not (isinstance(source, (list, tuple)) and isinstance(target, (list, tuple))):
        raise UsageError(
            "score takes a line of text and its translation, or a list of lines and a list of theirs, not "
            f"{_kind_of_side(source)} and {_kind_of_side(target)}"
        )
    if len(source) != len(target):
        raise UsageError(f"there are {len(source)} sources and {len(target)} targets; give a target for each source")
    return list(zip(source, target, strict=True))


def _kind_of_side(side: object) -> str:
    return "a line" if isinstance(side, str) else "a list" if isinstance(side, (list, tuple)) else kind_of(side)


def _picked(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Log-probabilities of `targets` [batch, n] among `log_probs` [batch, n, vocab]."""
    return log_probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def _of_empty_source(pair: _Pair) -> list[float]:
    """What a target to nothing scores: as a search has it, nothing is certain and all else impossible."""
    return [-math.inf] * (len(pair.ids) + 1) if pair.ids else []
