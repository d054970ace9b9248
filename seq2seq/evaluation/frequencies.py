"""How well words are translated, by how often they are in the training text (the idea is compare-mt's, Neubig 2019)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from seq2seq.evaluation.breakdown import Breakdown
from seq2seq.evaluation.buckets import Bucket, buckets_ending_at
from seq2seq.evaluation.metrics import tokens_of
from seq2seq.evaluation.resampling import Floats, interval, resampled_sums, seed_name
from seq2seq.evaluation.scores import Score
from seq2seq.recipe import BleuTokenizeName

#: Last frequencies of the buckets: words that were never seen, seen once, 2 to 4 times and so on.
ENDS = (0, 1, 4, 9, 99, 999)

#: Metrics and their names in reports.
MEASURES = (("f1", "F1"), ("precision", "precision"), ("recall", "recall"))

#: Of a sentence and a bucket: matches, words of the hypothesis, words of the references.
_MATCHES, _IN_HYPOTHESIS, _IN_REFERENCES = range(3)


@dataclass(frozen=True)
class WordCounts:
    """How often every token is in a text, and the name of the text."""

    counts: Mapping[str, int]
    name: str


@dataclass(frozen=True)
class Words:
    """How words are told apart and counted.

    Attributes:
        tokenize: BLEU's tokenization, which makes the words; marks are words too.
        lowercase: words that differ in case only are one.
        ends: last frequency of every bucket but that of the most frequent words.
    """

    tokenize: BleuTokenizeName = "13a"
    lowercase: bool = False
    ends: Sequence[int] = ENDS

    def count(self, lines: Iterable[str], *, name: str) -> WordCounts:
        """Count the words of a text. Raises UsageError for an unknown tokenization."""
        tokens = self.tokens
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(tokens(line))
        return WordCounts(counts, name)

    @property
    def tokens(self) -> Callable[[str], list[str]]:
        """What splits a line into words."""
        return tokens_of(tokenize=self.tokenize, lowercase=self.lowercase)


def break_down_words(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[Sequence[str]],
    frequencies: WordCounts,
    *,
    words: Words,
    resamples: int = 0,
) -> Breakdown:
    r"""F1, precision and recall of words, in buckets of their frequency in `frequencies`.

    For a sentence i and a word w, let h(i, w) and r(i, w) be how often w is in the hypothesis and in the reference.
    Their matches are clipped, m(i, w) = min(h(i, w), r(i, w)), whatever the order of the words. With the sums over all
    sentences and over the words of a bucket b,

    .. math::
        M_b = \sum_i \sum_{w \in b} m(i, w), \quad H_b = \sum_i \sum_{w \in b} h(i, w), \quad
        R_b = \sum_i \sum_{w \in b} r(i, w)

    precision is :math:`M_b / H_b`, recall :math:`M_b / R_b`, and F1, their harmonic mean, :math:`2 M_b / (H_b + R_b)`;
    all in percent, and None where the denominator is 0. Buckets of words that no reference has are left out. With
    several references every hypothesis stands against each of them in turn: the sums run over the sets too. Confidence
    intervals are from bootstrap resamples of the sentences; a figure that some resample does not have gets none.

    Args:
        systems: hypotheses by the name of the system.
        references: `references[set][line]`.
        frequencies: how often words are in some text, such as the target side of the training corpus.
        words: what a word is, and the buckets.
        resamples: for the confidence intervals; 0 for none.

    Raises:
        UsageError: the buckets are not in order.
    """
    buckets = buckets_ending_at(words.ends, start=0)
    bucket_of = _bucket_of(buckets, frequencies)
    tokens = words.tokens
    counted = [[Counter(tokens(line)) for line in one_set] for one_set in references]
    figures = {
        name: _figures([Counter(tokens(line)) for line in hypotheses], counted, bucket_of, buckets=len(buckets))
        for name, hypotheses in systems.items()
    }
    in_references = next(iter(figures.values())).sum(0)[:, _IN_REFERENCES]
    shown = [place for place, count in enumerate(in_references) if count]
    signature = _signature(words, frequencies, sets=len(references), resamples=resamples)
    return Breakdown(
        kind="frequency",
        title=f"frequency of words in {frequencies.name}",
        label="frequency",
        counted="words",
        buckets=tuple(str(buckets[place]) for place in shown),
        counts=tuple(int(in_references[place]) for place in shown),
        measures=tuple(name for _, name in MEASURES),
        scores={
            name: _scores(of_system[:, shown], resamples=resamples, signature=signature)
            for name, of_system in figures.items()
        },
    )


def _bucket_of(buckets: Sequence[Bucket], frequencies: WordCounts) -> Callable[[str], int]:
    lasts = [bucket.last for bucket in buckets if bucket.last is not None]

    def find(word: str) -> int:
        return bisect_left(lasts, frequencies.counts.get(word, 0))

    return find


def _figures(
    hypotheses: Sequence[Counter[str]],
    references: Sequence[Sequence[Counter[str]]],
    bucket_of: Callable[[str], int],
    *,
    buckets: int,
) -> NDArray[numpy.float64]:
    """Matches, words of the hypothesis and of the references: [sentences, buckets, 3]."""
    figures = numpy.zeros((len(hypotheses), buckets, 3))
    for one_set in references:
        for row, hypothesis, reference in zip(figures, hypotheses, one_set, strict=True):
            for word in hypothesis.keys() | reference.keys():
                inside, expected = hypothesis[word], reference[word]
                row[bucket_of(word)] += (min(inside, expected), inside, expected)
    return figures


def _scores(figures: Floats, *, resamples: int, signature: str) -> tuple[tuple[Score | None, ...], ...]:
    """F1, precision and recall of every bucket, from figures [sentences, buckets, 3]."""
    values = _measures(figures.sum(0))  # [buckets, 3]
    resampled: Floats | None = None
    if resamples > 1:
        sums = resampled_sums(figures.reshape(len(figures), -1), resamples)
        resampled = _measures(sums.reshape(resamples, -1, 3))  # [resamples, buckets, 3]
    rows = []
    for bucket, row in enumerate(values):
        scores: list[Score | None] = []
        for place, (metric, name) in enumerate(MEASURES):
            mean = half_width = None
            if resampled is not None and numpy.isfinite(resampled[:, bucket, place]).all():
                mean, half_width = interval(resampled[:, bucket, place])
            known = numpy.isfinite(row[place])
            scores.append(Score(metric, name, float(row[place]), signature, mean, half_width) if known else None)
        rows.append(tuple(scores))
    return tuple(rows)


def _measures(sums: Floats) -> Floats:
    """F1, precision and recall in percent, of sums [..., 3]; not a number where there are no words."""
    matches, inside, expected = sums[..., _MATCHES], sums[..., _IN_HYPOTHESIS], sums[..., _IN_REFERENCES]
    with numpy.errstate(invalid="ignore"):
        return 100.0 * numpy.stack([2 * matches / (inside + expected), matches / inside, matches / expected], axis=-1)


def _signature(words: Words, frequencies: WordCounts, *, sets: int, resamples: int) -> str:
    sampled = f"|bs:{resamples}|seed:{seed_name()}" if resamples > 1 else ""
    case = "lc" if words.lowercase else "mixed"
    return f"nrefs:{sets}{sampled}|case:{case}|tok:{words.tokenize}|frequency:{frequencies.name}"
