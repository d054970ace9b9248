"""A breakdown: the scores of several systems apart, by the length of sentences, the frequency of words, or a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seq2seq.evaluation.scores import Score


@dataclass(frozen=True)
class Breakdown:
    """Scores of several systems in several buckets.

    Attributes:
        kind: length, frequency or group.
        title: what decides the bucket: "length of the reference, in tokens (13a)".
        label: the same in one word, above a column.
        counted: what the counts are of: sentences, or words of the references.
        buckets: their names, in order.
        counts: how much of the text is in each.
        measures: names of the scores.
        scores: of every system and every bucket, one per measure; None where there is nothing to score.
    """

    kind: str
    title: str
    label: str
    counted: str
    buckets: tuple[str, ...]
    counts: tuple[int, ...]
    measures: tuple[str, ...]
    scores: Mapping[str, tuple[tuple[Score | None, ...], ...]]

    def as_dict(self) -> dict[str, Any]:
        """Return the whole, for JSON."""
        return {
            "by": self.kind,
            "title": self.title,
            "counted": self.counted,
            "buckets": [
                {
                    "name": name,
                    "count": count,
                    "systems": {
                        system: [None if score is None else score.as_dict() for score in scores[place]]
                        for system, scores in self.scores.items()
                    },
                }
                for place, (name, count) in enumerate(zip(self.buckets, self.counts, strict=True))
            ],
        }
