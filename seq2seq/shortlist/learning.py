"""Lexical translation probabilities of pieces, by expectation maximisation, and the shortlist made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy
import torch
from numpy.typing import NDArray

from seq2seq.shortlist.table import Shortlist

#: A sentence's pieces.
Pieces: TypeAlias = "Sequence[int] | NDArray[numpy.integer]"
#: Those of the source and of the target.
Pair: TypeAlias = "tuple[Pieces, Pieces]"

#: Links between pieces that are held in memory at once, 24 bytes each and more.
_LINKS_AT_ONCE = 1 << 22


def lexical_probabilities(
    pairs: Callable[[], Iterator[Pair]], *, source_vocabulary: int, target_vocabulary: int, iterations: int = 5
) -> tuple[NDArray[numpy.int64], NDArray[numpy.float64]]:
    r"""IBM's Model 1 (Brown et al. 1993, equations 14 and 17), over pieces and without the empty word.

    Every target piece of a sentence comes from one of its source pieces, any as likely as another before:

    .. math::
        c(t \mid s) = \sum \frac{p(t \mid s)}{\sum_{s'} p(t \mid s')}, \quad p(t \mid s) = \frac{c(t \mid s)}
        {\sum_{t'} c(t' \mid s)}

    summed over the places of a corpus, :math:`s'` over those of the same sentence.

    Args:
        pairs: begins reading the corpus anew at every call.
        source_vocabulary: size of the source vocabulary.
        target_vocabulary: size of the target vocabulary.
        iterations: of expectation and maximisation, from equal probabilities.

    Returns:
        For all pieces that were ever in one pair the key s * target_vocabulary + t, ascending, and p(t | s).
    """
    keys = numpy.zeros(0, dtype=numpy.int64)
    for part, _ in _linked(pairs(), target_vocabulary):
        keys = numpy.union1d(keys, part)
    probabilities = numpy.ones(len(keys))
    sources = keys // target_vocabulary
    for _ in range(iterations):
        counts = numpy.zeros(len(keys))
        for part, places in _linked(pairs(), target_vocabulary):
            where = numpy.searchsorted(keys, part)
            weights = probabilities[where]
            weights /= numpy.bincount(places, weights)[places]
            counts += numpy.bincount(where, weights, minlength=len(keys))
        totals = numpy.bincount(sources, counts, minlength=source_vocabulary)
        probabilities = counts / totals[sources]
    return keys, probabilities


def learn_shortlist(
    pairs: Callable[[], Iterator[Pair]],
    *,
    source_vocabulary: int,
    target_vocabulary: int,
    always: Sequence[int],
    same: dict[int, int],
    most: int,
    common: int,
    iterations: int = 5,
) -> Shortlist:
    """The shortlist of a corpus.

    Args:
        pairs: begins reading the corpus anew at every call.
        source_vocabulary: size of the source vocabulary.
        target_vocabulary: size of the target vocabulary.
        always: target pieces that are in it in any case.
        same: by source piece the target piece with the same text, a likely translation of it.
        most: translations of every source piece, the most probable ones.
        common: so many most frequent target pieces are in it in any case.
        iterations: see :func:`lexical_probabilities`.
    """
    keys, probabilities = lexical_probabilities(
        pairs, source_vocabulary=source_vocabulary, target_vocabulary=target_vocabulary, iterations=iterations
    )
    frequencies = numpy.zeros(target_vocabulary, dtype=numpy.int64)
    for _, target in pairs():
        frequencies += numpy.bincount(numpy.asarray(target, dtype=numpy.int64), minlength=target_vocabulary)
    ranked = numpy.argsort(-frequencies, kind="stable")[:common]
    shared = sorted({*always, *(int(piece) for piece in ranked if frequencies[piece])})

    sources, targets = keys // target_vocabulary, keys % target_vocabulary
    order = numpy.lexsort((targets, -probabilities, sources))
    sources, targets = sources[order], targets[order]
    first = numpy.searchsorted(sources, numpy.arange(source_vocabulary))
    rank = numpy.arange(len(sources)) - first[sources]
    table = numpy.full((source_vocabulary, most + 1), shared[0], dtype=numpy.int64)
    chosen = rank < most
    table[sources[chosen], rank[chosen]] = targets[chosen]
    for piece, twin in same.items():
        table[piece, most] = twin
    return Shortlist(torch.from_numpy(table), torch.tensor(shared), target_vocabulary)


def _linked(
    pairs: Iterator[Pair], target_vocabulary: int
) -> Iterator[tuple[NDArray[numpy.int64], NDArray[numpy.int64]]]:
    """Keys of all links of a source and a target place of one pair, and which target place, from 0 in every part."""
    keys: list[NDArray[numpy.int64]] = []
    places: list[NDArray[numpy.int64]] = []
    links = first = 0
    for source, target in pairs:
        if not len(source) or not len(target):
            continue
        grid = numpy.asarray(source, dtype=numpy.int64)[None, :] * target_vocabulary + numpy.asarray(target)[:, None]
        keys.append(grid.ravel())
        places.append(numpy.repeat(numpy.arange(first, first + len(target)), len(source)))
        first += len(target)
        links += grid.size
        if links >= _LINKS_AT_ONCE:
            yield numpy.concatenate(keys), numpy.concatenate(places)
            keys, places, links, first = [], [], 0, 0
    if keys:
        yield numpy.concatenate(keys), numpy.concatenate(places)
