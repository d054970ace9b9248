"""Significance: several systems against the first one, by SacreBLEU's paired tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from seq2seq.errors import UsageError
from seq2seq.evaluation.corpus_scores import check_lines, lowercased, reference_sets
from seq2seq.evaluation.metrics import sacrebleu_metrics
from seq2seq.evaluation.scores import MetricName, PartScores, References, Score, SignificanceName
from seq2seq.recipe import BleuTokenizeName, LowercaseChoice

if TYPE_CHECKING:
    from sacrebleu.significance import Result

#: SacreBLEU's names of the tests.
_TESTS = {"bootstrap": "bs", "randomization": "ar"}


def compare(
    systems: Mapping[str, Sequence[str]],
    references: References,
    *,
    metrics: Sequence[MetricName] = ("bleu", "chrf"),
    tokenize: BleuTokenizeName = "13a",
    lowercase: LowercaseChoice = False,
    test: SignificanceName = "bootstrap",
    resamples: int = 0,
    trials: int = 0,
) -> list[PartScores]:
    """Score several systems and test every one against the first, the baseline.

    Every score has a 95 % confidence interval, whatever the test.

    Args:
        systems: hypotheses by the name of the system; the first is the baseline and gets no p-value.
        references: as in :func:`score`.
        metrics: as in :func:`score`.
        tokenize: as in :func:`score`.
        lowercase: as in :func:`score`.
        test: bootstrap (paired bootstrap resampling, Koehn 2004) or randomization (paired approximate randomization,
            Riezler and Maxwell 2005).
        resamples: bootstrap resamples, of the test and of the confidence intervals; 0 for SacreBLEU's default, 1000.
        trials: of randomization; 0 for SacreBLEU's default, 10000.

    Raises:
        CorpusError: nothing to score, or numbers of lines differ.
        UsageError: fewer than two systems, or an unknown metric, tokenization or test.
    """
    from sacrebleu.significance import PairedTest

    check_test(systems, test)
    sets = reference_sets(references)
    for name, hypotheses in systems.items():
        check_lines(hypotheses, sets, of=f" of {name}")
    if lowercase == "both":
        shared: dict[str, Any] = {"tokenize": tokenize, "test": test, "resamples": resamples, "trials": trials}
        cased = compare(systems, sets, metrics=metrics, **shared)
        caseless = [metric for metric in metrics if metric != "ter"]
        if not caseless:
            return cased
        lowered = compare(systems, sets, metrics=caseless, lowercase=True, **shared)
        return [
            replace(with_case, scores=(*with_case.scores, *map(lowercased, without.scores)))
            for with_case, without in zip(cased, lowered, strict=True)
        ]
    scorers = sacrebleu_metrics(metrics, tokenize=tokenize, lowercase=lowercase)
    bootstrap = test == "bootstrap"
    paired = PairedTest(
        list(systems.items()),
        scorers,
        sets,
        test_type=_TESTS[test],
        n_samples=resamples if bootstrap else trials,
        n_ar_confidence=-1 if bootstrap else resamples,
    )
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


def check_test(systems: Mapping[str, Sequence[str]], test: str) -> None:
    """Raise UsageError for fewer than two systems, or for an unknown test."""
    if len(systems) < 2:
        raise UsageError(f"a comparison needs two systems or more, not {len(systems)}")
    if test not in _TESTS:
        raise UsageError(f"unknown significance test {test!r}: choose one of {', '.join(_TESTS)}")


def _p_value(result: Result, *, baseline: Result) -> float | None:
    # Where a system scores exactly what the baseline does, every difference is at least as large. SacreBLEU, which
    # counts larger ones only, would call a system significantly different from its own copy.
    return 1.0 if result.p_value is not None and result.score == baseline.score else result.p_value
