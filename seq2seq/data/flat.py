"""Sentences laid end to end in one array, with the offsets at which they begin: in memory or mapped from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy
from numpy.typing import NDArray

Indices = NDArray[numpy.integer]


@dataclass(frozen=True)
class FlatSentences:
    """Ids or UTF-8 bytes of many sentences.

    values: [total], any integer type. offsets: int64 [sentences + 1]; sentence i is values[offsets[i] : offsets[i +
    1]].
    """

    values: NDArray[numpy.integer]
    offsets: NDArray[numpy.int64]

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[int]], *, dtype: numpy.dtype[numpy.integer]) -> FlatSentences:
        """Lay rows of ids end to end."""
        lengths = numpy.fromiter(map(len, rows), dtype=numpy.int64, count=len(rows))
        values = numpy.fromiter(chain.from_iterable(rows), dtype=dtype, count=int(lengths.sum()))
        return cls(values, offsets_of(lengths))

    @classmethod
    def joined(cls, parts: Sequence[FlatSentences]) -> FlatSentences:
        """All sentences of all parts, in their order."""
        lengths = numpy.concatenate([part.lengths() for part in parts])
        return cls(numpy.concatenate([part.values for part in parts]), offsets_of(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rows(self) -> Iterator[NDArray[numpy.integer]]:
        """Every sentence's values, in order."""
        ends = self.offsets.tolist()
        return (self.values[start:end] for start, end in pairwise(ends))

    def lengths(self, indices: Indices | None = None) -> NDArray[numpy.int64]:
        """Values of every sentence, or of the ones named."""
        if indices is None:
            return numpy.diff(self.offsets)
        lengths: NDArray[numpy.int64] = self.offsets[indices + 1] - self.offsets[indices]
        return lengths

    def take(self, indices: Indices) -> tuple[NDArray[numpy.integer], NDArray[numpy.int64]]:
        """The named sentences end to end, and their lengths; no loop over them."""
        starts = self.offsets[indices]
        lengths = self.offsets[indices + 1] - starts
        ends = numpy.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        places = numpy.repeat(starts - (ends - lengths), lengths) + numpy.arange(total)
        return self.values[places], lengths

    def texts(self, indices: Indices) -> list[str]:
        """The named sentences as text, where the values are UTF-8 bytes."""
        values, lengths = self.take(indices)
        joined = values.tobytes()
        ends = numpy.cumsum(lengths).tolist()
        return [joined[start:end].decode("utf-8") for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def offsets_of(lengths: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
    """[sentences + 1]: where each begins, and where the last ends."""
    offsets = numpy.zeros(len(lengths) + 1, dtype=numpy.int64)
    numpy.cumsum(lengths, out=offsets[1:])
    return offsets
