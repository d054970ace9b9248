"""Minimum Bayes risk: of many samples the one that is expected to be best, whatever the right translation is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from seq2seq.errors import UsageError


def expected_utilities(samples: Sequence[str], *, utility: Literal["chrf", "bleu"]) -> dict[str, float]:
    """The mean quality of every different sample when each sample in turn is the reference, the best first.

    This is the estimate of Eikema and Aziz 2020 (equation 4): samples are drawn from the model's distribution, so that
    their mean over references estimates the expectation under it; one drawn twice counts twice. Of equal ones the one
    that was drawn first comes first.

    Args:
        samples: texts, at least one.
        utility: SacreBLEU's sentence scores, from 0 to 100: `chrf` (chrF2) or `bleu` (with effective order).
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    match utility:
        case "chrf":
            metric: BLEU | CHRF = CHRF()
        case "bleu":
            metric = BLEU(effective_order=True)
        case _:
            raise UsageError(f"utility must be chrf or bleu, not {utility!r}")
    counts = Counter(samples)

    def mean(text: str) -> float:
        total = sum(count * metric.sentence_score(text, [other]).score for other, count in counts.items())
        return total / len(samples)

    means = {text: mean(text) for text in counts}
    return dict(sorted(means.items(), key=lambda item: -item[1]))
