"""The order of an epoch: pairs shuffled by (seed, epoch) alone, sorted by length within windows, cut into batches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy
from numpy.typing import NDArray

Lengths = NDArray[numpy.int64]


@dataclass(frozen=True)
class Padding:
    """Places of batches over both sides, and how many of them hold padding."""

    cells: int = 0
    padding: int = 0

    def __add__(self, other: Padding) -> Padding:
        return Padding(self.cells + other.cells, self.padding + other.padding)

    @property
    def share(self) -> float:
        """Padding per place; 0 without places."""
        return self.padding / self.cells if self.cells else 0.0


def generator_of(*numbers: int) -> numpy.random.Generator:
    """A random generator of its own for every tuple of numbers, such as (seed, epoch, window)."""
    return numpy.random.Generator(numpy.random.PCG64(numpy.random.SeedSequence(numbers)))


def epoch_order(pairs: int, *, seed: int, epoch: int) -> NDArray[numpy.integer]:
    """All pairs in a random order, [pairs]; four bytes for each while their number allows."""
    order = numpy.arange(pairs, dtype=numpy.uint32 if pairs < 2**32 else numpy.int64)
    generator_of(seed, epoch).shuffle(order)
    return order


def windows(pairs: int, *, size: int) -> list[slice]:
    """Equal windows of at most `size` pairs that cover an epoch."""
    number = -(-pairs // size)
    ends = [pairs * window // number for window in range(number + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


def sort_by_length(source_lengths: Lengths, target_lengths: Lengths) -> NDArray[numpy.int64]:
    """Places of the pairs, [pairs], such that neighbours are alike on both sides; equal pairs keep their order.

    The longer side, which the token budget counts, is the first key, the difference of the sides the second. Its sign
    turns from one length to the next, so that the batch across the border holds pairs that lean to the same side. On
    Multi30k this leaves half the padding of sorting by target and then by source.
    """
    longer = numpy.maximum(source_lengths, target_lengths)
    difference = source_lengths - target_lengths
    turning = numpy.where(longer % 2 == 0, difference, -difference)
    return numpy.lexsort((turning, longer))


def cut_batches(longer: Lengths, *, batch_tokens: int, multiple_of: int = 1) -> NDArray[numpy.int64]:
    """Borders [batches + 1] of batches of neighbours, with as many pairs as the budget allows, and at least one.

    longer: [pairs], pieces of the longer side, EOS included. A batch fits if pairs times the largest `longer` in it is
    at most `batch_tokens`. Sizes above `multiple_of` are rounded down to a multiple of it.
    """
    borders = [0]
    while borders[-1] < len(longer):
        start = borders[-1]
        # No batch has more pairs than the budget has places for pairs as long as its first; mostly that is many fewer.
        ahead = longer[start : start + max(1, batch_tokens // max(1, int(longer[start])))]
        cells = numpy.maximum.accumulate(ahead) * numpy.arange(1, len(ahead) + 1)
        size = max(1, int(numpy.searchsorted(cells, batch_tokens, side="right")))
        if size > multiple_of and start + size < len(longer):
            size -= size % multiple_of
        borders.append(start + size)
    return numpy.array(borders, dtype=numpy.int64)


def plan_batches(
    source_lengths: Lengths,
    target_lengths: Lengths,
    *,
    batch_tokens: int,
    multiple_of: int = 1,
    length_multiple: int = 1,
) -> tuple[list[NDArray[numpy.int64]], Padding]:
    """Batches as arrays of places, shortest first, and their padding. Lengths [pairs] count EOS.

    The batches are as if every length were rounded up to a multiple of `length_multiple`, and so is the padding.
    """
    order = sort_by_length(source_lengths, target_lengths)
    sources, targets = source_lengths[order], target_lengths[order]
    longer = -(-numpy.maximum(sources, targets) // length_multiple) * length_multiple
    borders = cut_batches(longer, batch_tokens=batch_tokens, multiple_of=multiple_of)
    widths = sum(
        -(-numpy.maximum.reduceat(side, borders[:-1]) // length_multiple) * length_multiple
        for side in (sources, targets)
    )
    cells = int((numpy.diff(borders) * widths).sum())
    padding = Padding(cells, cells - int(sources.sum() + targets.sum()))
    return numpy.split(order, borders[1:-1]), padding
