"""Scores as values: what was measured, how, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

#: SacreBLEU's metrics.
MetricName = Literal["bleu", "chrf", "chrf++", "ter"]
#: All metrics of a corpus.
ScoreName = Literal["bleu", "chrf", "chrf++", "ter", "comet"]
SignificanceName = Literal["bootstrap", "randomization"]

#: One reference per hypothesis, or several sets of them: ``references[set][line]``.
References = Sequence[str] | Sequence[Sequence[str]]


@dataclass(frozen=True)
class Score:
    """One figure of a corpus, in percent; lower is better for TER, higher for the others."""

    metric: str
    """Name in recipes and on the command line: bleu, chrf, chrf++, ter, comet; or f1, precision, recall of words."""
    name: str
    """Name in reports: BLEU, chrF2, chrF2++, TER; where both were asked for, also lowercased BLEU and so on."""
    value: float
    signature: str
    """SacreBLEU's signature, or one of its kind: everything that somebody else needs to get the same figure."""
    mean: float | None = None
    """Mean over the bootstrap resamples, where they were asked for."""
    half_width: float | None = None
    """Half the width of the 95 % confidence interval around ``mean``."""
    p_value: float | None = None
    """Probability of a difference to the baseline at least as large if both were equally good (:func:`compare`)."""
    details: dict[str, float | list[float]] = field(default_factory=dict)
    """BLEU: n-gram precisions, brevity penalty, ratio of lengths."""

    def __str__(self) -> str:
        """Return the figure with its confidence, without the signature: ``BLEU = 59.21 (μ = 59.20 ± 0.85)``."""
        confidence = "" if self.half_width is None else f" (μ = {self.mean:.2f} ± {self.half_width:.2f})"
        p_value = "" if self.p_value is None else f" (p = {self.p_value:.4f})"
        return f"{self.name} = {self.value:.2f}{confidence}{p_value}"

    def as_dict(self) -> dict[str, Any]:
        """Return what there is, for JSON."""
        entries = {
            "metric": self.metric,
            "name": self.name,
            "score": self.value,
            "signature": self.signature,
            "confidence_mean": self.mean,
            "confidence_half_width": self.half_width,
            "p_value": self.p_value,
        }
        return {key: value for key, value in entries.items() if value is not None} | self.details


@dataclass(frozen=True)
class PartScores:
    """The scores of a part: the sentences with one label, or one of several systems."""

    name: str
    sentences: int
    scores: tuple[Score, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the whole, for JSON."""
        return {
            "name": self.name,
            "sentences": self.sentences,
            "scores": [score.as_dict() for score in self.scores],
        }


def report(scores: Iterable[Score]) -> str:
    """Return one line per metric: ``BLEU = 59.21 (nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0)``."""
    return "\n".join(f"{score} ({score.signature})" for score in scores)


def report_parts(parts: Sequence[PartScores]) -> str:
    """Return one line per group or system, without signatures: ``seen (500 sentences): BLEU = 61.03, TER = 25.20``."""
    return "\n".join(
        f"{part.name} ({part.sentences} {'sentence' if part.sentences == 1 else 'sentences'}): "
        + ", ".join(str(score) for score in part.scores)
        for part in parts
    )
