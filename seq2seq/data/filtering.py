"""Which pairs are left out of training, and the report of how many were, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

#: Reasons for leaving a pair out, in the order in which they are looked for; a pair counts under the first that
#: applies.
REASONS = ("empty_source", "empty_target", "source_too_long", "target_too_long", "length_ratio")


@dataclass(frozen=True, kw_only=True)
class PairFilter:
    """Limits of a pair in pieces, EOS not counted; None is no limit. A pair with an empty side is always left out.

    max_pieces: most pieces of a side. max_length_ratio: most pieces of the longer side for each of the shorter.
    """

    max_pieces: int | None = None
    max_length_ratio: float | None = None

    def reasons(
        self, source_lengths: NDArray[numpy.int64], target_lengths: NDArray[numpy.int64]
    ) -> dict[str, NDArray[numpy.bool_]]:
        """For every reason, bool [pairs]: True where the pair is left out for it. No pair is True twice."""
        longer = numpy.maximum(source_lengths, target_lengths)
        shorter = numpy.minimum(source_lengths, target_lengths)
        nothing = numpy.zeros(len(longer), dtype=numpy.bool_)
        applies = {
            "empty_source": source_lengths == 0,
            "empty_target": target_lengths == 0,
            "source_too_long": nothing if self.max_pieces is None else source_lengths > self.max_pieces,
            "target_too_long": nothing if self.max_pieces is None else target_lengths > self.max_pieces,
            "length_ratio": nothing if self.max_length_ratio is None else longer > self.max_length_ratio * shorter,
        }
        settled = nothing.copy()
        for reason in REASONS:
            applies[reason] = applies[reason] & ~settled
            settled |= applies[reason]
        return applies


@dataclass(frozen=True, kw_only=True)
class FilterReport:
    """Pairs that were read, and those left out, by reason."""

    read: int
    empty_source: int = 0
    empty_target: int = 0
    source_too_long: int = 0
    target_too_long: int = 0
    length_ratio: int = 0

    @property
    def left_out(self) -> int:
        """Pairs left out for any reason."""
        return self.empty_source + self.empty_target + self.source_too_long + self.target_too_long + self.length_ratio

    @property
    def kept(self) -> int:
        """Pairs that stayed."""
        return self.read - self.left_out

    def describe(self) -> str:
        """One sentence for the user."""
        pairs = f"{self.read:,} pair{'s' * (self.read != 1)} read"
        if not self.left_out:
            return f"{pairs}, all kept"
        counts = (
            (self.empty_source, "with an empty source"),
            (self.empty_target, "with an empty target"),
            (self.source_too_long, "with too long a source"),
            (self.target_too_long, "with too long a target"),
            (self.length_ratio, "of an odd length ratio"),
        )
        reasons = ", ".join(f"{count:,} {reason}" for count, reason in counts if count)
        return f"{pairs}, {self.kept:,} kept; left out: {reasons}"
