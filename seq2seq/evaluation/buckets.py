"""Buckets of whole numbers: lengths of sentences, frequencies of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seq2seq.errors import UsageError


@dataclass(frozen=True)
class Bucket:
    """The numbers from `first` to `last`, both included; without `last`, all from `first` on."""

    first: int
    last: int | None

    def __str__(self) -> str:
        """`6-10`, `7` for a single number, `101+` without end."""
        if self.last is None:
            return f"{self.first}+"
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def __contains__(self, number: int) -> bool:
        return self.first <= number and (self.last is None or number <= self.last)


def buckets_ending_at(ends: Sequence[int], *, start: int) -> list[Bucket]:
    """Buckets from `start` on whose last numbers are `ends`, and one without end: 5 and 10 make 1-5, 6-10, 11+.

    Raises:
        UsageError: an end does not lie above the one before, or the first one not at `start` or above.
    """
    firsts = [start, *(end + 1 for end in ends)]
    if any(end < first for first, end in zip(firsts, ends, strict=False)):
        raise UsageError(
            f"buckets that end at {' '.join(map(str, ends))} are not in order; name numbers from {start} on, each "
            "larger than the one before"
        )
    return [Bucket(first, last) for first, last in zip(firsts, [*ends, None], strict=True)]


def joined(buckets: Sequence[Bucket], numbers: Sequence[int], *, least: int) -> list[Bucket]:
    """Neighbouring buckets joined, from the first on, until each has `least` of the numbers or more.

    What is left over at the end joins the last one. If there are fewer than `least` numbers in all, one bucket remains.
    """
    whole: list[Bucket] = []
    first, count = buckets[0].first, 0
    for bucket in buckets:
        count += sum(number in bucket for number in numbers)
        if count >= least:
            whole.append(Bucket(first, bucket.last))
            count = 0
            if bucket.last is not None:
                first = bucket.last + 1
    if not whole:
        return [Bucket(buckets[0].first, buckets[-1].last)]
    return [*whole[:-1], Bucket(whole[-1].first, buckets[-1].last)]
