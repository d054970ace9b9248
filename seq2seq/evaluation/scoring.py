"""How to score: a corpus, its parts, and several systems in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seq2seq.errors import CorpusError
from seq2seq.evaluation.corpus_scores import score
from seq2seq.evaluation.scores import MetricName, PartScores, Score, SignificanceName
from seq2seq.evaluation.significance import compare
from seq2seq.recipe import BleuTokenizeName, LowercaseChoice, Recipe


@dataclass(frozen=True)
class Scoring:
    """How to score; the arguments of :func:`score`, which explains them."""

    metrics: tuple[MetricName, ...] = ("bleu", "chrf")
    tokenize: BleuTokenizeName = "13a"
    lowercase: LowercaseChoice = False
    resamples: int = 0

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Scoring:
        """What a recipe's evaluation section says."""
        section = recipe.evaluation
        return cls(metrics=section.metrics, tokenize=section.tokenize, lowercase=section.lowercase)

    def score(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[Score, ...]:
        """Score a corpus against sets of references, `references[set][line]`."""
        return tuple(
            score(
                hypotheses,
                references,
                metrics=self.metrics,
                tokenize=self.tokenize,
                lowercase=self.lowercase,
                resamples=self.resamples,
            )
        )

    def score_parts(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], parts: Mapping[str, Sequence[int]]
    ) -> tuple[PartScores, ...]:
        """Score parts of a corpus apart: names with the places of their sentences, from 0.

        A part of one sentence has no confidence interval. Otherwise as :meth:`score`.
        """
        return tuple(
            PartScores(
                name,
                len(places),
                self._score_part(
                    [hypotheses[place] for place in places],
                    [[one_set[place] for place in places] for one_set in references],
                ),
            )
            for name, places in parts.items()
        )

    def compare(
        self,
        systems: Mapping[str, Sequence[str]],
        references: Sequence[Sequence[str]],
        *,
        test: SignificanceName = "bootstrap",
        trials: int = 0,
    ) -> tuple[PartScores, ...]:
        """Score several systems and test each against the first, as :func:`compare` does."""
        return tuple(
            compare(
                systems,
                references,
                metrics=self.metrics,
                tokenize=self.tokenize,
                lowercase=self.lowercase,
                test=test,
                resamples=self.resamples,
                trials=trials,
            )
        )

    def _score_part(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[Score, ...]:
        # Every resample of one sentence is that sentence: an interval of width 0 would look like certainty.
        sure = self if len(hypotheses) > 1 else replace(self, resamples=0)
        return sure.score(hypotheses, references)


def by_label(labels: Sequence[str], *, sentences: int) -> dict[str, list[int]]:
    """The places of every label, in the order in which the labels first appear.

    Raises CorpusError unless there is one for every sentence.
    """
    if len(labels) != sentences:
        raise CorpusError(f"there are {len(labels)} group labels for {sentences} sentences: give one per sentence")
    places: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    return places
