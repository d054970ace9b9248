"""SacreBLEU's metrics by their names here, and its tokenization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, get_args

from seq2seq.errors import UsageError
from seq2seq.evaluation.scores import MetricName
from seq2seq.recipe import BleuTokenizeName

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric


def sacrebleu_metrics(
    metrics: Sequence[MetricName], *, tokenize: BleuTokenizeName, lowercase: bool, force: bool = False
) -> dict[str, Metric]:
    """SacreBLEU's objects that compute `metrics`, in their order.

    Args:
        metrics: names; one that comes twice counts once.
        tokenize: of BLEU.
        lowercase: ignore case in BLEU and chrF; TER always does.
        force: do not warn of full stops that stand apart.

    Raises:
        UsageError: no metric, or an unknown metric or tokenization.
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    _check_tokenization(tokenize)
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


def tokens_of(*, tokenize: BleuTokenizeName, lowercase: bool = False) -> Callable[[str], list[str]]:
    """What splits a line into the tokens that BLEU counts: words and marks, or characters where `tokenize` says so.

    Raises:
        UsageError: an unknown tokenization.
    """
    from sacrebleu.metrics.bleu import BLEU

    _check_tokenization(tokenize)
    tokenizer = BLEU(tokenize=tokenize).tokenizer

    def tokens(line: str) -> list[str]:
        text: str = tokenizer((line.lower() if lowercase else line).rstrip())
        return text.split()

    return tokens


def _check_tokenization(tokenize: str) -> None:
    if tokenize not in get_args(BleuTokenizeName):
        raise UsageError(f"unknown tokenization {tokenize!r}: choose one of {', '.join(get_args(BleuTokenizeName))}")
