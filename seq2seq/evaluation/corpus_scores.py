"""Scores of a corpus by SacreBLEU: BLEU, chrF and TER with their signatures and confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from seq2seq.errors import CorpusError
from seq2seq.evaluation.metrics import sacrebleu_metrics
from seq2seq.evaluation.scores import MetricName, References, Score
from seq2seq.recipe import BleuTokenizeName, LowercaseChoice

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric
    from sacrebleu.metrics.base import Score as SacreBleuScore
    from sacrebleu.significance import Result


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
    sets = reference_sets(references)
    check_lines(hypotheses, sets)
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
        return [*cased, *map(lowercased, lowered)]
    scores = []
    for name, metric in sacrebleu_metrics(metrics, tokenize=tokenize, lowercase=lowercase, force=detokenized).items():
        result, mean, half_width = _corpus_score(metric, hypotheses, sets, resamples=resamples)
        scores.append(
            Score(
                metric=name,
                name=result.name,
                value=result.score,
                signature=str(metric.get_signature()),
                mean=mean,
                half_width=half_width,
                details=_details(result),
            )
        )
    return scores


def lowercased(lowered: Score) -> Score:
    """The score under a name that tells it from the one with case."""
    return replace(lowered, name=f"lowercased {lowered.name}")


def reference_sets(references: References) -> list[list[str]]:
    """References as lists of sets, `[set][line]`, where there may be one set on its own."""
    if all(isinstance(reference, str) for reference in references):
        return [list(cast("Sequence[str]", references))]
    return [list(one_set) for one_set in references]


def check_lines(hypotheses: Sequence[str], sets: Sequence[Sequence[str]], *, of: str = "") -> None:
    """Raise CorpusError unless there is something to score, and a reference in every set for every hypothesis."""
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
    metric: Metric, hypotheses: Sequence[str], sets: Sequence[Sequence[str]], *, resamples: int
) -> tuple[SacreBleuScore, float | None, float | None]:
    """The score, the mean of its resamples and half the width of their interval."""
    try:
        result: SacreBleuScore = metric.corpus_score(hypotheses, sets, n_bootstrap=resamples)
    except TypeError as error:
        # SacreBLEU cannot average a resample without any match, which is 0, not 0.0; but its paired test can.
        if resamples < 2 or "coerce" not in str(error):
            raise
        return metric.corpus_score(hypotheses, sets), *_interval(metric, hypotheses, sets, resamples=resamples)
    return (result, float(result._mean), float(result._ci)) if resamples > 1 else (result, None, None)


def _interval(
    metric: Metric, hypotheses: Sequence[str], sets: Sequence[Sequence[str]], *, resamples: int
) -> tuple[float, float]:
    from sacrebleu.significance import PairedTest

    paired = PairedTest([("system", hypotheses)], {"metric": metric}, sets, test_type="bs", n_samples=resamples)
    (of_systems,) = (of_name for name, of_name in paired()[1].items() if name != "System")
    baseline = cast("Result", of_systems[0])
    return float(cast(float, baseline.mean)), float(cast(float, baseline.ci))


def _details(result: SacreBleuScore) -> dict[str, float | list[float]]:
    from sacrebleu.metrics.bleu import BLEUScore

    if not isinstance(result, BLEUScore):
        return {}
    return {"precisions": list(result.precisions), "brevity_penalty": result.bp, "length_ratio": result.ratio}
