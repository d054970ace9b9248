"""Scoring of translations by SacreBLEU: BLEU, chrF and TER with their signatures, groups, confidence, significance.

Text goes in as it was written, detokenized: SacreBLEU does the tokenization, and the signature says which one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from seq2seq.errors import CorpusError, UsageError
from seq2seq.recipe import BleuTokenizeName, LowercaseChoice

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric
    from sacrebleu.metrics.base import Score as SacreBleuScore
    from sacrebleu.significance import Result

MetricName = Literal["bleu", "chrf", "chrf++", "ter"]
SignificanceName = Literal["bootstrap", "randomization"]

#: One reference per hypothesis, or several sets of them: ``references[set][line]``.
References = Sequence[str] | Sequence[Sequence[str]]

#: SacreBLEU's names of the tests.
_TESTS = {"bootstrap": "bs", "randomization": "ar"}


@dataclass(frozen=True)
class Score:
    """One metric of a corpus, in SacreBLEU's units: percent; lower is better for TER, higher for the others."""

    metric: str
    """Name in recipes and on the command line: bleu, chrf, chrf++, ter."""
    name: str
    """Name in reports: BLEU, chrF2, chrF2++, TER; where both were asked for, also lowercased BLEU and so on."""
    value: float
    signature: str
    """SacreBLEU's signature: everything that somebody else needs to get the same figure."""
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


def score(
    hypotheses: Sequence[str],
    references: References,
    *,
    metrics: Sequence[MetricName] = ("bleu", "chrf"),
    tokenize: BleuTokenizeName = "13a",
    lowercase: LowercaseChoice = False,
    resamples: int = 0,
    detokenized: bool = False,
) -> list[Score]:
    """Score a corpus, one entry per metric, in their order.

    Args:
        hypotheses: one translation per sentence.
        references: one per sentence, or several lists of them, each with one per sentence.
        metrics: bleu; chrf, which is chrF2 (six characters, no words); chrf++ (and word pairs); ter, which is slow.
        tokenize: BLEU's tokenization; the other metrics have their own.
        lowercase: ignore case in BLEU and chrF; TER, like tercom, always does. ``"both"``: first with case, then, under
            names that say so, without it.
        resamples: bootstrap resamples for a 95 % confidence interval, 1000 as a rule; 0 for none. Their seed is in the
            signature, and comes from ``SACREBLEU_SEED``.
        detokenized: the text is known to be detokenized, though a network that has learned little may write its full
            stops apart; SacreBLEU then does not warn of that. The figures are the same.

    Raises:
        CorpusError: nothing to score, or numbers of lines differ.
        UsageError: an unknown metric or tokenization.
    """
    sets = _reference_sets(references)
    _check_lines(hypotheses, sets)
    if lowercase == "both":
        cased = score(
            hypotheses, sets, metrics=metrics, tokenize=tokenize, resamples=resamples, detokenized=detokenized
        )
        caseless = [metric for metric in metrics if metric != "ter"]
        if not caseless:
            return cased
        lowered = score(
            hypotheses,
            sets,
            metrics=caseless,
            tokenize=tokenize,
            lowercase=True,
            resamples=resamples,
            detokenized=True,  # or it has been said above
        )
        return [*cased, *map(_lowercased, lowered)]
    scores = []
    for name, scorer in _scorers(metrics, tokenize=tokenize, lowercase=lowercase, force=detokenized).items():
        result = _corpus_score(scorer, hypotheses, sets, resamples=resamples)
        mean, half_width = (float(result._mean), float(result._ci)) if resamples > 1 else (None, None)
        scores.append(
            Score(
                metric=name,
                name=result.name,
                value=result.score,
                signature=str(scorer.get_signature()),
                mean=mean,
                half_width=half_width,
                details=_details(result),
            )
        )
    return scores


def _lowercased(lowered: Score) -> Score:
    """The score under a name that tells it from the one with case."""
    return replace(lowered, name=f"lowercased {lowered.name}")


def score_groups(
    hypotheses: Sequence[str],
    references: References,
    labels: Sequence[str],
    *,
    metrics: Sequence[MetricName] = ("bleu", "chrf"),
    tokenize: BleuTokenizeName = "13a",
    lowercase: LowercaseChoice = False,
    resamples: int = 0,
) -> list[PartScores]:
    """Score the sentences of every label apart, in the order in which the labels first appear.

    ``labels`` has one entry per sentence; the other arguments and the errors are those of :func:`score`.
    """
    sets = _reference_sets(references)
    _check_lines(hypotheses, sets)
    if len(labels) != len(hypotheses):
        raise CorpusError(
            f"there are {len(labels)} group labels for {len(hypotheses)} sentences: give one per sentence"
        )
    parts = []
    for label in dict.fromkeys(labels):
        lines = [line for line, other in enumerate(labels) if other == label]
        scores = score(
            [hypotheses[line] for line in lines],
            [[one_set[line] for line in lines] for one_set in sets],
            metrics=metrics,
            tokenize=tokenize,
            lowercase=lowercase,
            resamples=resamples,
        )
        parts.append(PartScores(label, len(lines), tuple(scores)))
    return parts


def compare(
    systems: Mapping[str, Sequence[str]],
    references: References,
    *,
    metrics: Sequence[MetricName] = ("bleu", "chrf"),
    tokenize: BleuTokenizeName = "13a",
    lowercase: LowercaseChoice = False,
    test: SignificanceName = "bootstrap",
    resamples: int = 0,
) -> list[PartScores]:
    """Score several systems and test every one against the first, the baseline.

    Args:
        systems: hypotheses by the name of the system; the first is the baseline and gets no p-value.
        references: as in :func:`score`.
        metrics: as in :func:`score`.
        tokenize: as in :func:`score`.
        lowercase: as in :func:`score`.
        test: bootstrap (paired bootstrap resampling, Koehn 2004; with confidence intervals) or randomization (paired
            approximate randomization, Riezler and Maxwell 2005).
        resamples: resamples or trials; 0 for SacreBLEU's defaults, 1000 and 10000.

    Raises:
        CorpusError: nothing to score, or numbers of lines differ.
        UsageError: fewer than two systems, or an unknown metric, tokenization or test.
    """
    from sacrebleu.significance import PairedTest

    if len(systems) < 2:
        raise UsageError(f"a comparison needs two systems or more, not {len(systems)}")
    if test not in _TESTS:
        raise UsageError(f"unknown significance test {test!r}: choose one of {', '.join(_TESTS)}")
    sets = _reference_sets(references)
    for name, hypotheses in systems.items():
        _check_lines(hypotheses, sets, of=f" of {name}")
    if lowercase == "both":
        shared: dict[str, Any] = {"tokenize": tokenize, "test": test, "resamples": resamples}
        cased = compare(systems, sets, metrics=metrics, **shared)
        caseless = [metric for metric in metrics if metric != "ter"]
        if not caseless:
            return cased
        lowered = compare(systems, sets, metrics=caseless, lowercase=True, **shared)
        return [
            replace(with_case, scores=(*with_case.scores, *map(_lowercased, without.scores)))
            for with_case, without in zip(cased, lowered, strict=True)
        ]
    scorers = _scorers(metrics, tokenize=tokenize, lowercase=lowercase)
    paired = PairedTest(list(systems.items()), scorers, sets, test_type=_TESTS[test], n_samples=resamples)
    signatures, results = paired()
    rows: list[list[Score]] = [[] for _ in systems]
    # SacreBLEU answers under the names of its reports, in the order of the question, and that of the systems first.
    for metric, (name, signature) in zip(scorers, signatures.items(), strict=True):
        baseline, *_ = of_systems = cast("list[Result]", results[name])
        for row, result in zip(rows, of_systems, strict=True):
            row.append(
                Score(
                    metric=metric,
                    name=name,
                    value=result.score,
                    signature=str(signature),
                    mean=None if result.mean is None else float(result.mean),
                    half_width=None if result.ci is None else float(result.ci),
                    p_value=_p_value(result, baseline=baseline),
                )
            )
    return [PartScores(name, len(sets[0]), tuple(row)) for name, row in zip(systems, rows, strict=True)]


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


def _reference_sets(references: References) -> list[list[str]]:
    if all(isinstance(reference, str) for reference in references):
        return [list(cast("Sequence[str]", references))]
    return [list(one_set) for one_set in references]


def _check_lines(hypotheses: Sequence[str], sets: Sequence[Sequence[str]], *, of: str = "") -> None:
    for number, one_set in enumerate(sets, start=1):
        if len(one_set) != len(hypotheses):
            which = f" in set {number} of {len(sets)}" if len(sets) > 1 else ""
            raise CorpusError(
                f"there are {len(hypotheses)} hypotheses{of} but {len(one_set)} references{which}: "
                "every hypothesis needs its reference, line by line"
            )
    if not hypotheses:
        raise CorpusError("there is nothing to score: no hypotheses and no references")


def _corpus_score(
    scorer: Metric, hypotheses: Sequence[str], sets: Sequence[Sequence[str]], *, resamples: int
) -> SacreBleuScore:
    try:
        result: SacreBleuScore = scorer.corpus_score(hypotheses, sets, n_bootstrap=resamples)
        return result
    except TypeError as error:
        # SacreBLEU cannot average its resamples when some of them hold nothing but empty lines.
        if resamples and "coerce" in str(error):
            raise CorpusError(
                f"{len(hypotheses)} sentences, some of them empty, are too few for a confidence interval; leave it out"
            ) from error
        raise


def _scorers(
    metrics: Sequence[MetricName], *, tokenize: BleuTokenizeName, lowercase: bool, force: bool = False
) -> dict[str, Metric]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    if tokenize not in get_args(BleuTokenizeName):
        raise UsageError(f"unknown tokenization {tokenize!r}: choose one of {', '.join(get_args(BleuTokenizeName))}")
    if not metrics:
        raise UsageError(f"no metric to score with: choose from {', '.join(get_args(MetricName))}")
    scorers: dict[str, Metric] = {}
    for metric in metrics:
        match metric:
            case "bleu":
                scorers[metric] = BLEU(lowercase=lowercase, tokenize=tokenize, force=force)
            case "chrf":
                scorers[metric] = CHRF(lowercase=lowercase)
            case "chrf++":
                scorers[metric] = CHRF(lowercase=lowercase, word_order=2)
            case "ter":
                scorers[metric] = TER()
            case _:
                raise UsageError(f"unknown metric {metric!r}: choose from {', '.join(get_args(MetricName))}")
    return scorers


def _p_value(result: Result, *, baseline: Result) -> float | None:
    # Where a system scores exactly what the baseline does, every difference is at least as large. SacreBLEU, which
    # counts larger ones only, would call a system significantly different from its own copy.
    return 1.0 if result.p_value is not None and result.score == baseline.score else result.p_value


def _details(result: SacreBleuScore) -> dict[str, float | list[float]]:
    from sacrebleu.metrics.bleu import BLEUScore

    if not isinstance(result, BLEUScore):
        return {}
    return {"precisions": list(result.precisions), "brevity_penalty": result.bp, "length_ratio": result.ratio}
