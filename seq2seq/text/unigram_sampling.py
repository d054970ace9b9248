"""Sampling of unigram segmentations (Kudo 2018): every segmentation x with probability proportional to p(x)^alpha.

A word is a lattice whose nodes are the places between its characters and whose edges are pieces. Going forward, a
node's weight is the sum over its incoming edges of the weight they start from times the piece's p^alpha; going backward
from the end, an incoming edge is drawn in proportion to its part of that sum. The backward steps of all words are taken
together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy
from numpy.typing import NDArray

from seq2seq.text.vocabulary import Vocabulary

#: Lattices that are kept, at most.
_KEPT = 300_000


@dataclass(frozen=True)
class _Lattice:
    """The edges of a word, by the node they end at. Nodes are counted from 0 for the place after the first character.

    ends, starts: int32 [edges], nodes, the start of the word being -1. ids: int32 [edges]. shares: float64 [edges],
    running sum of the probabilities of the edges into a node, 1 at the last.
    """

    length: int
    ends: NDArray[numpy.int32]
    starts: NDArray[numpy.int32]
    ids: NDArray[numpy.int32]
    shares: NDArray[numpy.float64]


@final
class UnigramSampling:
    """Draws segmentations of words for one alpha."""

    def __init__(self, vocabulary: Vocabulary, *, alpha: float) -> None:
        self._vocabulary = vocabulary
        self._alpha = alpha
        self._lattices: dict[str, _Lattice] = {}

    def segment(
        self, words: Sequence[str], tokens: NDArray[numpy.int64], generator: numpy.random.Generator
    ) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """Draw a segmentation for every token, which is the number of a word in `words`, [tokens].

        Gives the ids of all tokens end to end, and the number of ids of each, [tokens].
        """
        lattices = [self._lattice(word) for word in words]
        lengths = numpy.array([lattice.length for lattice in lattices])
        first_nodes = numpy.cumsum(lengths) - lengths
        edges = numpy.array([len(lattice.ids) for lattice in lattices])
        shift = numpy.repeat(first_nodes, edges)
        ends = numpy.concatenate([lattice.ends for lattice in lattices]) + shift
        local_starts = numpy.concatenate([lattice.starts for lattice in lattices])
        starts = numpy.where(local_starts < 0, -1, local_starts + shift)
        ids = numpy.concatenate([lattice.ids for lattice in lattices])
        # A node's edges lie between its number and the next, so that one search finds the edge of node and share.
        ladder = ends + numpy.concatenate([lattice.shares for lattice in lattices])
        last_edges = numpy.searchsorted(ends, numpy.arange(int(lengths.sum())), side="right") - 1

        rows = numpy.arange(len(tokens))
        nodes = first_nodes[tokens] + lengths[tokens] - 1
        counts = numpy.zeros(len(tokens), dtype=numpy.int64)
        drawn: list[tuple[NDArray[numpy.int64], NDArray[numpy.int32]]] = []
        while len(rows):
            found = numpy.searchsorted(ladder, nodes + generator.random(len(rows)), side="right")
            found = numpy.minimum(found, last_edges[nodes])  # node + share may be rounded up to the next node
            drawn.append((rows, ids[found]))
            counts[rows] += 1
            nodes = starts[found]
            rows, nodes = rows[nodes >= 0], nodes[nodes >= 0]
        segmented = numpy.empty(int(counts.sum()), dtype=numpy.int64)
        behind = numpy.cumsum(counts)
        for step, (step_rows, step_ids) in enumerate(drawn, start=1):
            segmented[behind[step_rows] - step] = step_ids
        return segmented, counts

    def _lattice(self, word: str) -> _Lattice:
        lattice = self._lattices.get(word)
        if lattice is None:
            if len(self._lattices) >= _KEPT:
                self._lattices.clear()
            lattice = self._lattices[word] = self._made(word)
        return lattice

    def _made(self, word: str) -> _Lattice:
        incoming = self._incoming(word)
        weights = [0.0] + [-math.inf] * len(word)  # log of the sum of all ways to here; place 0 is the start
        shares: list[float] = []
        for end, edges in enumerate(incoming, start=1):
            logs = [weights[start] + self._alpha * score for start, _, score in edges]
            highest = max(logs)
            parts = [math.exp(log - highest) for log in logs]
            total = sum(parts)
            weights[end] = highest + math.log(total)
            running = 0.0
            for part in parts[:-1]:
                running += part / total
                shares.append(min(running, 1.0))
            shares.append(1.0)
        return _Lattice(
            length=len(word),
            ends=numpy.array([end for end, edges in enumerate(incoming) for _ in edges], dtype=numpy.int32),
            starts=numpy.array([start - 1 for edges in incoming for start, _, _ in edges], dtype=numpy.int32),
            ids=numpy.array([number for edges in incoming for _, number, _ in edges], dtype=numpy.int32),
            shares=numpy.array(shares),
        )

    def _incoming(self, word: str) -> list[list[tuple[int, int, float]]]:
        """For every place after a character the edges that end there: place of the start, id, score."""
        vocabulary = self._vocabulary
        incoming: list[list[tuple[int, int, float]]] = [[] for _ in word]
        for start, character in enumerate(word):
            for end in range(start + 1, min(start + vocabulary.longest, len(word)) + 1):
                number = vocabulary.ids.get(word[start:end])
                if number is not None:
                    incoming[end - 1].append((start, number, float(vocabulary.scores[number])))
            if character not in vocabulary.ids:
                incoming[start].append((start, vocabulary.unknown(character), vocabulary.unknown_score))
        return incoming
