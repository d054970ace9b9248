"""Systems side by side: every figure is SacreBLEU's of the same lines."""

from __future__ import annotations

from typing import Any

import pytest
import sacrebleu

from seq2seq.comparison import Breaking, Comparing, Comparison, compare_systems, one_system
from seq2seq.errors import CorpusError, UsageError
from seq2seq.evaluation import Breakdown, Scoring
from seq2seq.evaluation.frequencies import WordCounts, Words
from seq2seq.held_out import HeldOutText, score_text

SENTENCE = "the old train leaves the small station near the river at noon and comes back at night"
WORDS = SENTENCE.split()
TRUTH = [" ".join(WORDS[n % 4 : n % 4 + 3 + n % 7]) for n in range(21)]
SYSTEMS = {
    name: [" ".join(word if (n + k) % every else "boat" for k, word in enumerate(TRUTH[n].split())) for n in range(21)]
    for name, every in (("better", 5), ("worse", 2))
}
#: Twelve sources of three words, nine of one.
SOURCES = ["un deux trois" if n % 7 < 4 else "un" for n in range(21)]
TEXT = HeldOutText("truth", SOURCES, [TRUTH], ["x" if n < 8 else "y" for n in range(21)])


def compared(breaking: Breaking, *, text: HeldOutText = TEXT, **options: Any) -> Comparison:
    scoring = Scoring(metrics=("bleu",), resamples=20)
    return compare_systems(text, SYSTEMS, Comparing(scoring, breaking, **options))


def bleu(system: str, places: list[int]) -> float:
    lines, truth = [SYSTEMS[system][n] for n in places], [TRUTH[n] for n in places]
    return float(sacrebleu.BLEU().corpus_score(lines, [truth]).score)


def check(breakdown: Breakdown, expected: dict[str, list[int]]) -> None:
    assert breakdown.buckets == tuple(expected)
    assert breakdown.counts == tuple(len(places) for places in expected.values())
    for system, scores in breakdown.scores.items():
        found = [score.value for (score,) in scores if score is not None]
        assert found == pytest.approx([bleu(system, places) for places in expected.values()])
        assert all(score is not None and score.half_width is not None for (score,) in scores)
    assert breakdown.measures == ("BLEU",)


@pytest.mark.parametrize(("test", "expected"), [("bootstrap", 1 / 21), ("randomization", 1 / 31)])
def test_scores_and_significance(test: str, expected: float) -> None:
    found = compared(Breaking(groups=False), test=test, trials=30)
    assert (found.name, found.sentences, found.test, found.breakdowns) == ("truth", 21, test, ())
    better, worse = found.systems
    assert (better.name, worse.name) == ("better", "worse")
    assert worse.scores[0].value == pytest.approx(bleu("worse", list(range(21))))
    assert (better.scores[0].p_value, worse.scores[0].p_value) == (None, pytest.approx(expected))
    assert found.as_dict()["systems"][1]["scores"][0]["p_value"] == pytest.approx(expected)


def test_by_group() -> None:
    (groups,) = compared(Breaking()).breakdowns
    assert (groups.kind, groups.title) == ("group", "group")
    check(groups, {"x": list(range(8)), "y": list(range(8, 21))})


def test_by_length_of_the_reference_and_of_the_source() -> None:
    breaking = Breaking(lengths=[4, 7], groups=False)
    (lengths,) = compared(breaking).breakdowns
    assert (lengths.kind, lengths.counted) == ("length", "sentences")
    assert lengths.title == "length of the reference, in tokens (13a)"
    of = {n: len(TRUTH[n].split()) for n in range(21)}
    check(
        lengths,
        {
            "1-4": [n for n in of if of[n] <= 4],
            "5-7": [n for n in of if 4 < of[n] <= 7],
            "8+": [n for n in of if of[n] > 7],
        },
    )
    (lengths,) = compared(Breaking(lengths=[2], side="source", groups=False)).breakdowns
    assert lengths.title == "length of the source, in tokens (13a)"
    check(lengths, {"1-2": [n for n in range(21) if n % 7 >= 4], "3+": [n for n in range(21) if n % 7 < 4]})


def test_by_frequency_in_a_text_or_in_the_references() -> None:
    counts = WordCounts({"the": 50, "train": 1}, "train.en")
    (words,) = compared(Breaking(words=Words(ends=(0, 1)), frequencies=counts, groups=False)).breakdowns
    assert words.title == "frequency of words in train.en"
    assert words.buckets == ("0", "1", "2+")
    trains = sum(line.split().count("train") for line in TRUTH)
    kept = sum(line.split().count("train") for line in SYSTEMS["worse"])
    assert words.counts[1] == trains
    recall = words.scores["worse"][1][2]
    assert recall is not None
    assert recall.value == pytest.approx(100 * kept / trains)
    (words,) = compared(Breaking(words=Words(), groups=False)).breakdowns
    assert words.title == "frequency of words in the references"
    assert sum(words.counts) == sum(len(line.split()) for line in TRUTH)


def test_one_system_is_a_comparison_with_none() -> None:
    how = Comparing(Scoring(metrics=("bleu",)), Breaking(lengths=[7]))
    evaluated = score_text(TEXT, SYSTEMS["worse"], scoring=how.scoring)
    found = one_system("worse", evaluated, TEXT, how)
    assert found.test is None
    assert found.systems[0].scores == evaluated.scores
    groups, lengths = found.breakdowns
    assert list(groups.scores) == list(lengths.scores) == ["worse"]
    assert (
        lengths.scores["worse"][0][0]
        == Scoring(metrics=("bleu",)).score(
            [line for line, truth in zip(SYSTEMS["worse"], TRUTH, strict=True) if len(truth.split()) <= 7],
            [[truth for truth in TRUTH if len(truth.split()) <= 7]],
        )[0]
    )


def test_lengths_of_sources_need_sources() -> None:
    text = HeldOutText("truth", [], [TRUTH])
    with pytest.raises(CorpusError, match="there are 0 sources for 21 sentences: give one each"):
        compared(Breaking(lengths=[2], side="source"), text=text)


def test_buckets_out_of_order_are_found_at_once() -> None:
    with pytest.raises(UsageError, match="buckets that end at 7 4 are not in order; name numbers from 1 on"):
        Breaking(lengths=[7, 4])
    with pytest.raises(UsageError, match="buckets that end at -1 are not in order; name numbers from 0 on"):
        Breaking(words=Words(ends=[-1]))
