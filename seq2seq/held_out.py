"""Held-out text: test sets, and the report of what translations of them score. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seq2seq.evaluation import PartScores, Score, Scoring, report, report_parts
from seq2seq.evaluation.scoring import by_label
from seq2seq.text.corpus import ParallelText, read_pairs

__all__ = ["Evaluated", "HeldOutText", "Scoring", "read_held_out", "score_text"]


@dataclass(frozen=True)
class HeldOutText:
    """A test set: sentences, their references, `references[set][line]`, and perhaps a label for each.

    The sources are empty where nobody needs them: translations are there already, and no metric reads sources.
    """

    name: str
    sources: Sequence[str]
    references: Sequence[Sequence[str]]
    groups: Sequence[str] | None = None


@dataclass(frozen=True)
class Evaluated:
    """A test set with its translations and what they score.

    Attributes:
        name: of the test set.
        translations: one per sentence.
        scores: one per metric.
        groups: the scores of every label, in the order in which they first appear; empty without labels.
        seconds: time of translation, None where the translations were given.
    """

    name: str
    translations: tuple[str, ...]
    scores: tuple[Score, ...]
    groups: tuple[PartScores, ...] = ()
    seconds: float | None = None

    def lines(self) -> list[str]:
        """A report for people: the figures with their signatures, then the groups."""
        count = f"{len(self.translations)} sentence{'s' * (len(self.translations) != 1)}"
        took = "" if self.seconds is None else f" in {self.seconds:.1f} s"
        groups = report_parts(self.groups).splitlines() if self.groups else []
        return [f"{self.name}: {count}{took}", *(f"  {line}" for line in [*report(self.scores).splitlines(), *groups])]

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON, without the translations."""
        return {
            "name": self.name,
            "sentences": len(self.translations),
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "scores": [each.as_dict() for each in self.scores],
            "groups": [each.as_dict() for each in self.groups],
        }


def read_held_out(text: ParallelText) -> HeldOutText:
    """Read a test set into memory. Raises CorpusError when that fails."""
    pairs = list(read_pairs(text))
    groups = None if text.groups is None else [pair.group or "" for pair in pairs]
    return HeldOutText(text.title, [pair.source for pair in pairs], [[pair.target for pair in pairs]], groups)


def score_text(
    text: HeldOutText, translations: Sequence[str], *, scoring: Scoring, seconds: float | None = None
) -> Evaluated:
    """Score translations of a test set that are there already."""
    groups = {} if text.groups is None else by_label(text.groups, sentences=len(translations))
    return Evaluated(
        name=text.name,
        translations=tuple(translations),
        scores=scoring.score(translations, text.references, sources=text.sources),
        groups=scoring.score_parts(translations, text.references, groups, sources=text.sources),
        seconds=seconds,
    )
