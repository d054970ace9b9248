"""Random segmentations that a seed decides, in every process and on every machine.

SentencePiece can sample by itself, but nobody can have its random numbers again: its generator is one per thread, and
in recent versions mixes in a salt of the process whatever the seed. A training run that is continued must see the very
segmentations it would have seen. So the drawing is done here, from the model's own pieces and scores, for the words of
many texts at once, which is as fast.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Sequence
from typing import Any, final

import numpy

from seq2seq.errors import TokenizerError
from seq2seq.text.bpe_dropout import BpeDropout
from seq2seq.text.model_file import BYTE, read_model_file
from seq2seq.text.unigram_sampling import UnigramSampling
from seq2seq.text.vocabulary import Vocabulary

#: A word with the space before it, a space alone, or what stands before the first space.
_WORD = re.compile("▁?[^▁]+|▁")
#: Texts whose words are in memory together. It is part of what a seed means.
_TOGETHER = 8_192
_FIRST_BYTE_OF_CHARACTER = re.compile("<0x[0-7CDEF].>")


@final
class Sampler:
    """Samples segmentations with the pieces of one model; usable from several threads."""

    def __init__(self, *, processor: Any, model: bytes) -> None:
        """`processor`: SentencePiece with `model` loaded, for normalization and n-best lists."""
        self._processor = processor
        self._file = read_model_file(model)
        self._vocabulary = Vocabulary(self._file)
        self._engines: dict[float, UnigramSampling | BpeDropout] = {}
        self._lock = threading.Lock()

    def sample(self, texts: Sequence[str], *, alpha: float, nbest_size: int, seed: int) -> list[list[int]]:
        """Ids of every text; see :meth:`seq2seq.text.tokenizer.Tokenizer.sample`."""
        generator = numpy.random.Generator(numpy.random.PCG64(seed))
        if self._file.algorithm == "unigram" and nbest_size > 1:
            return [self._sample_best(text, alpha, nbest_size, generator.random()) for text in texts]
        with self._lock:
            engine = self._engine(alpha)
            return [
                ids
                for start in range(0, len(texts), _TOGETHER)
                for ids in self._sample_words(texts[start : start + _TOGETHER], engine, generator)
            ]

    def _engine(self, alpha: float) -> UnigramSampling | BpeDropout:
        engine = self._engines.get(alpha)
        if engine is None:
            match self._file.algorithm:
                case "unigram":
                    engine = UnigramSampling(self._vocabulary, alpha=alpha)
                case "bpe":
                    engine = BpeDropout(self._vocabulary, alpha=alpha)
                case other:
                    raise TokenizerError(
                        f"a tokenizer of algorithm {other} cannot sample: it has one segmentation only"
                    )
            self._engines[alpha] = engine
        return engine

    def _sample_words(
        self, texts: Sequence[str], engine: UnigramSampling | BpeDropout, generator: numpy.random.Generator
    ) -> list[list[int]]:
        """Segment the words of all texts at once, and put them together again."""
        numbers: dict[str, int] = {}
        tokens: list[int] = []
        words_of_texts: list[int] = []
        for text in texts:
            normalized: str = self._processor.Normalize(text)
            words = _WORD.findall(normalized) if self._vocabulary.words_are_apart else [normalized] * bool(normalized)
            tokens += [numbers.setdefault(word, len(numbers)) for word in words]
            words_of_texts.append(len(words))
        if not tokens:
            return [[] for _ in texts]
        ids, counts = engine.segment(list(numbers), numpy.array(tokens), generator)
        text_of_token = numpy.repeat(numpy.arange(len(texts)), words_of_texts)
        ids, text_of_id = self._vocabulary.spelled(ids, numpy.repeat(text_of_token, counts))
        ends = numpy.cumsum(numpy.bincount(text_of_id, minlength=len(texts))).tolist()
        flat = ids.tolist()
        return [flat[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def _sample_best(self, text: str, alpha: float, nbest_size: int, share: float) -> list[int]:
        """One of the best segmentations, x with probability proportional to p(x)^alpha, drawn by `share` in [0, 1)."""
        candidates: list[list[int]] = self._processor.NBestEncode(text, nbest_size=nbest_size)
        if not candidates:
            return []
        scores = [alpha * sum(map(self._score, ids)) for ids in candidates]
        weights = numpy.cumsum([math.exp(score - max(scores)) for score in scores])
        return candidates[int(numpy.searchsorted(weights, share * weights[-1], side="right"))]

    def _score(self, number: int) -> float:
        """Score of a piece; of an unknown character's bytes the first has the score of the character."""
        piece = self._file.pieces[number]
        if piece.kind == BYTE:
            return self._vocabulary.unknown_score if _FIRST_BYTE_OF_CHARACTER.match(piece.text) else 0.0
        return self._vocabulary.unknown_score if number == self._processor.unk_id() else self._vocabulary.scores[number]
