"""A comparison with figures by hand, for its report and its figure."""

from __future__ import annotations

from seq2seq.comparison import Comparison
from seq2seq.evaluation import Breakdown, PartScores, Score


def score(name: str, value: float, half_width: float | None = 1.5, p_value: float | None = None) -> Score:
    signature = f"nrefs:1|{name.lower()}"
    return Score(name.lower(), name, value, signature, None if half_width is None else value, half_width, p_value)


LENGTHS = Breakdown(
    kind="length",
    title="length of the reference, in tokens (13a)",
    label="length",
    counted="sentences",
    buckets=("1-5", "6+"),
    counts=(40, 960),
    measures=("BLEU", "TER"),
    scores={
        "old": ((score("BLEU", 61.25), score("TER", 20.0)), (score("BLEU", 57.5), score("TER", 30.0))),
        "new": ((score("BLEU", 60.0), score("TER", 21.0)), (score("BLEU", 59.0), score("TER", 29.0))),
    },
)
WORDS = Breakdown(
    kind="frequency",
    title="frequency of words in train.fr",
    label="frequency",
    counted="words",
    buckets=("0", "1+"),
    counts=(12, 12345),
    measures=("F1", "precision", "recall"),
    scores={
        "old": ((score("F1", 0.0), None, score("recall", 0.0)), (score("F1", 80.0, None), *[score("x", 75.0)] * 2)),
        "new": ((score("F1", 10.0), score("x", 20.0), score("x", 5.0)), (score("F1", 81.0), *[score("x", 76.0)] * 2)),
    },
)
GROUPS = Breakdown(
    kind="group",
    title="group",
    label="group",
    counted="sentences",
    buckets=("seen",),
    counts=(1000,),
    measures=("BLEU",),
    scores={"old": ((score("BLEU", 58.0),),), "new": ((score("BLEU", 59.5),),)},
)
COMPARISON = Comparison(
    name="test.fr",
    sentences=1000,
    systems=(
        PartScores("old", 1000, (score("BLEU", 58.0), score("TER", 29.0))),
        PartScores("new", 1000, (score("BLEU", 59.5, 1.25, 0.0123), score("TER", 28.5, 1.5, 0.25))),
    ),
    test="bootstrap",
    breakdowns=(LENGTHS, WORDS),
)
