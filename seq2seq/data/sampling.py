"""Subword sampling in training: another segmentation of every sentence in every epoch (Kudo 2018; Provilkov 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from seq2seq.data.flat import FlatSentences
from seq2seq.text.tokenizer import Tokenizer

#: Sentences that are segmented anew at one time.
_TOGETHER = 50_000


@dataclass(frozen=True, kw_only=True)
class SubwordSampling:
    """The tokenizer of every side that is sampled, None for one that is not, and how (see `Tokenizer.sample`)."""

    source_tokenizer: Tokenizer | None
    target_tokenizer: Tokenizer | None
    alpha: float
    nbest_size: int = -1


def sampled(
    indices: NDArray[numpy.integer],
    *,
    best: FlatSentences,
    text: FlatSentences,
    tokenizer: Tokenizer,
    sampling: SubwordSampling,
    max_pieces: int | None,
    generator: numpy.random.Generator,
) -> FlatSentences:
    """The sentences that `indices` [pairs] name, in that order, with ids of random segmentations of their text.

    A segmentation of more than `max_pieces` pieces is replaced by the best one, which `best` holds: the limit that the
    corpus was filtered by keeps its word.
    """
    parts: list[FlatSentences] = []
    for start in range(0, len(indices), _TOGETHER):
        part = indices[start : start + _TOGETHER]
        rows = tokenizer.sample(
            text.texts(part),
            alpha=sampling.alpha,
            nbest_size=sampling.nbest_size,
            seed=int(generator.integers(2**32)),
        )
        if max_pieces is not None:
            for number, row in enumerate(rows):
                if len(row) > max_pieces:
                    rows[number] = best.take(part[number : number + 1])[0].tolist()
        parts.append(FlatSentences.of_rows(rows, dtype=best.values.dtype))
    return FlatSentences.joined(parts)
