"""How to score: SacreBLEU's metrics and COMET together, of a corpus, of its parts, and of several systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from seq2seq.errors import CorpusError, UsageError
from seq2seq.evaluation.comet import Comet, comet_compare, comet_score
from seq2seq.evaluation.corpus_scores import score
from seq2seq.evaluation.scores import MetricName, PartScores, Score, ScoreName, SignificanceName
from seq2seq.evaluation.significance import check_test, compare
from seq2seq.recipe import BleuTokenizeName, LowercaseChoice, Recipe


@dataclass(frozen=True)
class Scoring:
    """How to score; :func:`score` explains what is not said here.

    Attributes:
        metrics: in the order of the report.
        tokenize: BLEU's tokenization.
        lowercase: as in :func:`score`.
        resamples: as in :func:`score`.
        comet: the model, where `comet` is among the metrics.
    """

    metrics: tuple[ScoreName, ...] = ("bleu", "chrf")
    tokenize: BleuTokenizeName = "13a"
    lowercase: LowercaseChoice = False
    resamples: int = 0
    comet: Comet | None = None

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Scoring:
        """What a recipe's evaluation section says."""
        section = recipe.evaluation
        return cls(metrics=section.metrics, tokenize=section.tokenize, lowercase=section.lowercase)

    def score(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], *, sources: Sequence[str] = ()
    ) -> tuple[Score, ...]:
        """Score a corpus against sets of references, `references[set][line]`; COMET needs its sources too.

        Raises:
            CorpusError: nothing to score, or numbers of lines differ.
            UsageError: an unknown metric or tokenization.
            ModelError: COMET's model cannot be loaded.
        """
        comet, found = self._comet, list[Score]()
        if self._of_sacrebleu or comet is None:
            found += score(
                hypotheses,
                references,
                metrics=self._of_sacrebleu,
                tokenize=self.tokenize,
                lowercase=self.lowercase,
                resamples=self.resamples,
            )
        if comet is not None:
            found.append(comet_score(comet, hypotheses, sources, references, resamples=self.resamples))
        return self._in_order(found)

    def score_parts(
        self,
        hypotheses: Sequence[str],
        references: Sequence[Sequence[str]],
        parts: Mapping[str, Sequence[int]],
        *,
        sources: Sequence[str] = (),
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
                    [sources[place] for place in places] if sources else (),
                ),
            )
            for name, places in parts.items()
        )

    def compare(
        self,
        systems: Mapping[str, Sequence[str]],
        references: Sequence[Sequence[str]],
        *,
        sources: Sequence[str] = (),
        test: SignificanceName = "bootstrap",
        trials: int = 0,
    ) -> tuple[PartScores, ...]:
        """Score several systems and test each against the first, as :func:`compare` does; COMET needs sources too."""
        check_test(systems, test)
        comet = self._comet
        rows: list[list[Score]] = [[] for _ in systems]
        if self._of_sacrebleu or comet is None:
            compared = compare(
                systems,
                references,
                metrics=self._of_sacrebleu,
                tokenize=self.tokenize,
                lowercase=self.lowercase,
                test=test,
                resamples=self.resamples,
                trials=trials,
            )
            rows = [list(part.scores) for part in compared]
        if comet is not None:
            scores = comet_compare(
                comet, systems, sources, references, test=test, resamples=self.resamples, trials=trials
            )
            for row, of_system in zip(rows, scores, strict=True):
                row.append(of_system)
        return tuple(
            PartScores(name, len(hypotheses), self._in_order(row))
            for (name, hypotheses), row in zip(systems.items(), rows, strict=True)
        )

    @property
    def _of_sacrebleu(self) -> tuple[MetricName, ...]:
        return cast("tuple[MetricName, ...]", tuple(metric for metric in self.metrics if metric != "comet"))

    @property
    def _comet(self) -> Comet | None:
        if "comet" not in self.metrics:
            return None
        if self.comet is None:
            raise UsageError("the metric comet needs a model: Scoring(metrics=..., comet=Comet())")
        return self.comet

    def _score_part(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
    ) -> tuple[Score, ...]:
        # Every resample of one sentence is that sentence: an interval of width 0 would look like certainty.
        sure = self if len(hypotheses) > 1 else replace(self, resamples=0)
        return sure.score(hypotheses, references, sources=sources)

    def _in_order(self, scores: Sequence[Score]) -> tuple[Score, ...]:
        """The order of the metrics, of which lowercased ones come after all others, as :func:`score` has them."""

        def place(score: Score) -> tuple[bool, int]:
            metrics: tuple[str, ...] = self.metrics
            return score.name.startswith("lowercased "), metrics.index(score.metric)

        return tuple(sorted(scores, key=place))


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
