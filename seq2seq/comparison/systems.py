"""Systems on one text: what each scores, against the first, and broken down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from seq2seq.errors import CorpusError
from seq2seq.evaluation import Breakdown, PartScores, Scoring, SignificanceName
from seq2seq.evaluation.buckets import buckets_ending_at
from seq2seq.evaluation.frequencies import WordCounts, Words, break_down_words
from seq2seq.evaluation.lengths import by_length
from seq2seq.evaluation.scoring import by_label
from seq2seq.held_out import Evaluated, HeldOutText

SideName = Literal["reference", "source"]

#: Translations by the name of the system.
Systems = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Comparison:
    """What several systems, or one, score on one text.

    Attributes:
        name: of the text.
        sentences: how many it has.
        systems: with their scores; the first is the baseline.
        test: by which the others were tested against the baseline; None for one system.
        breakdowns: of all systems.
        seconds: time of translation, where a model translated.
    """

    name: str
    sentences: int
    systems: tuple[PartScores, ...]
    test: SignificanceName | None = None
    breakdowns: tuple[Breakdown, ...] = ()
    seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the test and the systems, for JSON."""
        return {"test": self.test, "systems": [system.as_dict() for system in self.systems]}


@dataclass(frozen=True)
class Breaking:
    """How scores are broken down.

    Attributes:
        lengths: last lengths of the buckets, empty for buckets that have enough sentences; None for no breakdown.
        side: whose lengths.
        words: what words are, for a breakdown by their frequency; None for none.
        frequencies: how often words are in the training text; None counts them in the references.
        groups: by group, if the text has labels.

    Raises:
        UsageError: buckets are not in order.
    """

    lengths: Sequence[int] | None = None
    side: SideName = "reference"
    words: Words | None = None
    frequencies: WordCounts | None = None
    groups: bool = True

    def __post_init__(self) -> None:
        buckets_ending_at(self.lengths or (), start=1)
        buckets_ending_at(() if self.words is None else self.words.ends, start=0)


@dataclass(frozen=True)
class Comparing:
    """How systems are compared.

    Attributes:
        scoring: which metrics, and how.
        breaking: which breakdowns.
        test: against the first system, as in :func:`seq2seq.evaluation.compare`.
        trials: as in :func:`seq2seq.evaluation.compare`.
    """

    scoring: Scoring = field(default_factory=Scoring)
    breaking: Breaking = field(default_factory=Breaking)
    test: SignificanceName = "bootstrap"
    trials: int = 0


def compare_systems(text: HeldOutText, systems: Systems, how: Comparing) -> Comparison:
    """Score systems on one text, test every one against the first, and break their scores down.

    Args:
        text: with its sources, where a metric or a breakdown reads them.
        systems: two or more, one translation per sentence each.
        how: to score, to test and to break down.

    Raises:
        CorpusError: nothing to score, or numbers of lines differ.
        UsageError: fewer than two systems, or an unknown metric, tokenization or test.
        ModelError: COMET's model cannot be loaded.
    """
    scored = how.scoring.compare(systems, text.references, sources=text.sources, test=how.test, trials=how.trials)
    return Comparison(text.name, len(text.references[0]), scored, how.test, _break_down(text, systems, how))


def one_system(name: str, evaluated: Evaluated, text: HeldOutText, how: Comparing) -> Comparison:
    """The comparison of a system with none: its scores, which are known, and their breakdowns."""
    scored = PartScores(name, len(evaluated.translations), evaluated.scores)
    breakdowns = _break_down(text, {name: evaluated.translations}, how)
    return Comparison(text.name, scored.sentences, (scored,), None, breakdowns, evaluated.seconds)


def _break_down(text: HeldOutText, systems: Systems, how: Comparing) -> tuple[Breakdown, ...]:
    scoring, breaking, found = how.scoring, how.breaking, []
    if breaking.groups and text.groups is not None:
        labels = by_label(text.groups, sentences=len(text.references[0]))
        found.append(_by_sentences(text, systems, labels, scoring=scoring, kind="group", title="group"))
    if breaking.lengths is not None:
        lines = text.references[0] if breaking.side == "reference" else text.sources
        if len(lines) != len(text.references[0]):
            raise CorpusError(f"there are {len(lines)} sources for {len(text.references[0])} sentences: give one each")
        lengths = by_length(lines, tokenize=scoring.tokenize, ends=breaking.lengths)
        title = f"length of the {breaking.side}, in tokens ({scoring.tokenize})"
        found.append(_by_sentences(text, systems, lengths, scoring=scoring, kind="length", title=title))
    if breaking.words is not None:
        references = (line for one_set in text.references for line in one_set)
        found.append(
            break_down_words(
                systems,
                text.references,
                breaking.frequencies or breaking.words.count(references, name="the references"),
                words=breaking.words,
                resamples=scoring.resamples,
            )
        )
    return tuple(found)


def _by_sentences(
    text: HeldOutText, systems: Systems, parts: Mapping[str, Sequence[int]], *, scoring: Scoring, kind: str, title: str
) -> Breakdown:
    scored = {
        name: scoring.score_parts(hypotheses, text.references, parts, sources=text.sources)
        for name, hypotheses in systems.items()
    }
    first = next(iter(scored.values()))
    return Breakdown(
        kind=kind,
        title=title,
        label=kind,
        counted="sentences",
        buckets=tuple(parts),
        counts=tuple(len(places) for places in parts.values()),
        measures=tuple(score.name for score in first[0].scores),
        scores={name: tuple(part.scores for part in of_system) for name, of_system in scored.items()},
    )
