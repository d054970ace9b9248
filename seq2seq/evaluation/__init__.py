"""Scoring of translations: SacreBLEU's metrics and COMET, confidence, significance, breakdowns. Imports no torch.

Text goes in as it was written, detokenized: SacreBLEU does the tokenization, and the signature says which one.
"""

from seq2seq.evaluation.breakdown import Breakdown
from seq2seq.evaluation.corpus_scores import score
from seq2seq.evaluation.scores import (
    MetricName,
    PartScores,
    References,
    Score,
    ScoreName,
    SignificanceName,
    report,
    report_parts,
)
from seq2seq.evaluation.scoring import Scoring
from seq2seq.evaluation.significance import compare

__all__ = [
    "Breakdown",
    "MetricName",
    "PartScores",
    "References",
    "Score",
    "ScoreName",
    "Scoring",
    "SignificanceName",
    "compare",
    "report",
    "report_parts",
    "score",
]
