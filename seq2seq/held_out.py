"""Held-out text: test sets, and the report of what translations of them score. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seq2seq.evaluation import MetricName, PartScores, Score, report, report_parts, score, score_groups
from seq2seq.recipe import BleuTokenizeName, LowercaseChoice, Recipe
from seq2seq.text.corpus import ParallelText, read_pairs


@dataclass(frozen=True)
class Scoring:
    """How to score; the arguments of :func:`seq2seq.evaluation.score`, which explains them."""

    metrics: tuple[MetricName, ...] = ("bleu", "chrf")
    tokenize: BleuTokenizeName = "13a"
    lowercase: LowercaseChoice = False
    resamples: int = 0

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Scoring:
        """What a recipe's evaluation section says."""
        section = recipe.evaluation
        return cls(metrics=section.metrics, tokenize=section.tokenize, lowercase=section.lowercase)

    def score(self, translations: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[Score, ...]:
        """Score a corpus against sets of references, `references[set][line]`."""
        return tuple(
            score(
                translations,
                references,
                metrics=self.metrics,
                tokenize=self.tokenize,
                lowercase=self.lowercase,
                resamples=self.resamples,
            )
        )

    def score_groups(
        self, translations: Sequence[str], references: Sequence[Sequence[str]], groups: Sequence[str]
    ) -> tuple[PartScores, ...]:
        """Score the sentences of every label in `groups` apart."""
        return tuple(
            score_groups(
                translations,
                references,
                groups,
                metrics=self.metrics,
                tokenize=self.tokenize,
                lowercase=self.lowercase,
                resamples=self.resamples,
            )
        )


@dataclass(frozen=True)
class HeldOutText:
    """A test set: sentences, their references, `references[set][line]`, and perhaps a label for each."""

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
    return Evaluated(
        name=text.name,
        translations=tuple(translations),
        scores=scoring.score(translations, text.references),
        groups=() if text.groups is None else scoring.score_groups(translations, text.references, text.groups),
        seconds=seconds,
    )
