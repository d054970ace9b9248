"""BPE-dropout (Provilkov et al. 2020): segmentation by merges, each of which is left out with probability alpha.

Symbols of a word, at first its characters, are merged pair by pair, the pair with the best merge first and the leftmost
of equals. When its turn comes, a pair is passed over for good with probability alpha; a new pair that a merge makes has
a turn of its own. Each step is taken in all words of about the same length together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy
from numpy.typing import NDArray

from seq2seq.text.vocabulary import Vocabulary

#: Symbol sequences that are kept, at most.
_KEPT = 300_000
#: Rank of a pair that is not merged, or not any more.
_NEVER = numpy.iinfo(numpy.int32).max
#: Places of words that are worked on together, at most.
_PLACES = 1 << 21

_Table = NDArray[numpy.int32]


@final
class BpeDropout:
    """Draws segmentations of words for one alpha."""

    def __init__(self, vocabulary: Vocabulary, *, alpha: float) -> None:
        self._vocabulary = vocabulary
        self._alpha = alpha
        self._symbols: dict[str, NDArray[numpy.int32]] = {}
        self._pairs, self._merged, self._ranks = _merges(vocabulary)

    def segment(
        self, words: Sequence[str], tokens: NDArray[numpy.int64], generator: numpy.random.Generator
    ) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """Draw a segmentation for every token, which is the number of a word in `words`, [tokens].

        Gives the ids of all tokens end to end, and the number of ids of each, [tokens].
        """
        symbols = [self._symbols_of(word) for word in words]
        lengths = numpy.array([len(sequence) for sequence in symbols])[tokens]
        rows_done: list[NDArray[numpy.int64]] = []
        ids_done: list[NDArray[numpy.int32]] = []
        counts = numpy.zeros(len(tokens), dtype=numpy.int64)
        by_length = numpy.argsort(lengths, kind="stable")
        start = 0
        while start < len(by_length):
            # Words up to half as long again as the shortest of them share a table.
            width = int(lengths[by_length[start]]) * 3 // 2
            end = int(numpy.searchsorted(lengths[by_length], width, side="right"))
            rows = by_length[start : min(end, start + max(1, _PLACES // width))]
            start += len(rows)
            table = numpy.full((len(rows), int(lengths[rows].max())), -1, dtype=numpy.int32)
            table[numpy.arange(table.shape[1]) < lengths[rows][:, None]] = numpy.concatenate(
                [symbols[token] for token in tokens[rows].tolist()]
            )
            self._merge(table, generator)
            left = table >= 0
            counts[rows] = left.sum(axis=1)
            rows_done.append(rows)
            ids_done.append(table[left])
        return _in_order(rows_done, ids_done, counts), counts

    def _merge(self, symbols: _Table, generator: numpy.random.Generator) -> None:
        """Merge in place: ids [words, places], -1 behind the end of a word and where a symbol went into another."""
        words, width = symbols.shape
        # One more place at the end, the neighbour of the last symbol, where nothing is ever found.
        before = numpy.tile(numpy.arange(-1, width, dtype=numpy.int32), (words, 1))
        after = numpy.tile(numpy.arange(1, width + 2, dtype=numpy.int32), (words, 1))
        ranks = numpy.full((words, width + 1), _NEVER, dtype=numpy.int32)
        merged = numpy.full((words, width + 1), -1, dtype=numpy.int32)
        ranks[:, : width - 1], merged[:, : width - 1] = self._merges_of(symbols[:, :-1], symbols[:, 1:])
        padded = numpy.full((words, width + 1), -1, dtype=numpy.int32)
        padded[:, :width] = symbols
        live = numpy.arange(words)
        while len(live):
            places = ranks[live].argmin(axis=1)
            live, places = live[turn := ranks[live, places] < _NEVER], places[turn]
            kept = generator.random(len(live)) >= self._alpha
            ranks[live, places] = _NEVER
            rows, here = live[kept], places[kept]
            gone = after[rows, here]
            padded[rows, here] = merged[rows, here]
            padded[rows, gone] = -1
            ranks[rows, gone] = _NEVER
            following, previous = after[rows, gone], before[rows, here]
            after[rows, here] = following
            before[rows, following] = here
            ranks[rows, here], merged[rows, here] = self._merges_of(padded[rows, here], padded[rows, following])
            inside = previous >= 0
            rows, here, previous = rows[inside], here[inside], previous[inside]
            ranks[rows, previous], merged[rows, previous] = self._merges_of(padded[rows, previous], padded[rows, here])
        symbols[:] = padded[:, :width]

    def _merges_of(self, left: _Table, right: _Table) -> tuple[_Table, _Table]:
        """Rank and result of the merge of every pair; `_NEVER` and -1 where there is none."""
        wanted = (left.astype(numpy.int64) << 32) | right
        places = numpy.minimum(numpy.searchsorted(self._pairs, wanted), len(self._pairs) - 1)
        found = (self._pairs[places] == wanted) & (left >= 0) & (right >= 0)
        return numpy.where(found, self._ranks[places], _NEVER), numpy.where(found, self._merged[places], -1)

    def _symbols_of(self, word: str) -> NDArray[numpy.int32]:
        symbols = self._symbols.get(word)
        if symbols is None:
            if len(self._symbols) >= _KEPT:
                self._symbols.clear()
            symbols = self._symbols[word] = numpy.array(list(self._split(word)), dtype=numpy.int32)
        return symbols

    def _split(self, word: str) -> list[int]:
        """Ids of the symbols that merging begins with: characters, and user-defined pieces as wholes."""
        vocabulary = self._vocabulary
        numbers: list[int] = []
        place = 0
        while place < len(word):
            length, number = 1, vocabulary.ids.get(word[place])
            if vocabulary.user_defined:
                for longer in range(min(vocabulary.longest, len(word) - place), 0, -1):
                    whole = vocabulary.user_defined.get(word[place : place + longer])
                    if whole is not None:
                        length, number = longer, whole
                        break
            numbers.append(vocabulary.unknown(word[place]) if number is None else number)
            place += length
        return numbers


def _merges(vocabulary: Vocabulary) -> tuple[NDArray[numpy.int64], _Table, _Table]:
    """Every pair of pieces that makes a piece, as left << 32 | right in rising order; that piece, and its rank."""
    ids, frozen = vocabulary.ids, set(vocabulary.user_defined.values())
    pairs: list[tuple[int, int]] = [(-1, -1)]  # never looked for, and keeps the table from being empty
    for text, whole in ids.items():
        for cut in range(1, len(text)):
            left, right = ids.get(text[:cut]), ids.get(text[cut:])
            if left is not None and right is not None and not {left, right, whole} & frozen:
                pairs.append(((left << 32) | right, whole))
    pairs.sort()
    keys, merged = numpy.array(pairs, dtype=numpy.int64).T
    _, ranks = numpy.unique(-vocabulary.scores, return_inverse=True)
    return keys.copy(), merged.astype(numpy.int32), ranks[merged].astype(numpy.int32)


def _in_order(
    rows: Sequence[NDArray[numpy.int64]], ids: Sequence[NDArray[numpy.int32]], counts: NDArray[numpy.int64]
) -> NDArray[numpy.int64]:
    """Ids of all tokens end to end, from groups of tokens `rows` whose ids lie end to end in `ids`."""
    order = numpy.concatenate(rows)
    lengths = counts[order]
    starts = (numpy.cumsum(counts) - counts)[order]
    within = numpy.arange(int(lengths.sum())) - numpy.repeat(numpy.cumsum(lengths) - lengths, lengths)
    segmented = numpy.empty(int(lengths.sum()), dtype=numpy.int64)
    segmented[numpy.repeat(starts, lengths) + within] = numpy.concatenate(ids)
    return segmented
