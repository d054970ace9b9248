"""Figures made of measurements: percentiles, medians and ranges."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """A figure that was measured several times."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one value or more."""
        return cls(statistics.median(values), min(values), max(values))

    def as_dict(self, *, digits: int) -> dict[str, float]:
        """For JSON, rounded."""
        return {"median": round(self.median, digits), "lowest": round(self.lowest, digits)} | {
            "highest": round(self.highest, digits)
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the others lie, interpolated linearly between neighbours.

    Of n values in order, counted from 0, it is the one at (n - 1) * percent / 100: the definition 7 of Hyndman and Fan
    (1996), and numpy's default.
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100.0
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
