"""Scores of parts and of several systems: SacreBLEU's own of the same lines, in the order that was asked for."""

from __future__ import annotations

from typing import Any

import pytest
import sacrebleu

from seq2seq.errors import CorpusError, UsageError
from seq2seq.evaluation import Scoring
from seq2seq.evaluation.scoring import by_label

SENTENCE = "the old train leaves the small station near the river at noon and comes back at night"
WORDS = SENTENCE.split()
TRUTH = [" ".join(WORDS[n % 4 : n % 4 + 5 + n % 5]) for n in range(12)]
OTHER = [line.replace("the", "a") for line in TRUTH]
GUESS = [" ".join(word if (n + k) % 3 else "boat" for k, word in enumerate(TRUTH[n].split())) for n in range(12)]


def test_parts_are_scored_apart() -> None:
    parts = by_label(["b" if n % 3 else "a" for n in range(12)], sentences=12)
    assert parts == {"a": [0, 3, 6, 9], "b": [1, 2, 4, 5, 7, 8, 10, 11]}
    found = Scoring(metrics=("chrf", "bleu")).score_parts(GUESS, [OTHER, TRUTH], parts)
    assert [(part.name, part.sentences) for part in found] == [("a", 4), ("b", 8)]
    for part, places in zip(found, parts.values(), strict=True):
        lines = [GUESS[n] for n in places]
        sets = [[one_set[n] for n in places] for one_set in (OTHER, TRUTH)]
        assert [score.metric for score in part.scores] == ["chrf", "bleu"]
        assert part.scores[0].value == pytest.approx(sacrebleu.CHRF().corpus_score(lines, sets).score)
        assert part.scores[1].value == pytest.approx(sacrebleu.BLEU().corpus_score(lines, sets).score)
    with pytest.raises(CorpusError, match="there are 1 group labels for 2 sentences: give one per sentence"):
        by_label(["a"], sentences=2)


def test_parts_have_an_interval_where_there_can_be_one() -> None:
    guess, truth = [*GUESS, "", "one"], [*TRUTH, "", "two"]
    parts = {"all": range(12), "one": [13], "empty": [12, 13]}
    whole, one, empty = Scoring(metrics=("chrf",), resamples=50).score_parts(guess, [truth], parts)
    expected = sacrebleu.CHRF().corpus_score(GUESS, [TRUTH], n_bootstrap=50)
    assert whole.scores[0].half_width == pytest.approx(expected._ci)
    # Every resample of one sentence is that sentence. Of two of which one is empty, some score nothing.
    assert (one.scores[0].half_width, "bs:" in one.scores[0].signature) == (None, False)
    assert empty.scores[0].half_width is not None


def test_systems_are_compared_in_the_order_of_the_metrics() -> None:
    systems = {"truth": TRUTH, "guess": GUESS}
    baseline, guess = Scoring(metrics=("ter", "bleu"), lowercase="both", resamples=20).compare(systems, [TRUTH])
    assert [score.name for score in guess.scores] == ["TER", "BLEU", "lowercased BLEU"]
    assert baseline.scores[1].value == pytest.approx(100.0)
    assert guess.scores[1].value == pytest.approx(sacrebleu.BLEU().corpus_score(GUESS, [TRUTH]).score)
    assert all("|bs:20|" in score.signature for score in guess.scores)
    # Of 20 resamples none has a difference as far from the mean as the one observed: 1 / (20 + 1).
    assert [score.p_value for score in guess.scores] == pytest.approx([1 / 21] * 3)


@pytest.mark.parametrize("test", ["bootstrap", "randomization"])
def test_every_compared_score_has_an_interval(test: Any) -> None:
    parts = Scoring(resamples=30).compare({"a": GUESS, "b": OTHER}, [TRUTH], test=test, trials=40)
    expected = sacrebleu.BLEU().corpus_score(GUESS, [TRUTH], n_bootstrap=30)._ci
    assert parts[0].scores[0].half_width == pytest.approx(expected)
    assert all(score.half_width is not None and score.half_width > 0 for part in parts for score in part.scores)


def test_senseless_requests() -> None:
    with pytest.raises(UsageError, match="no metric to score with"):
        Scoring(metrics=()).score(GUESS, [TRUTH])
    with pytest.raises(UsageError, match=r"the metric comet needs a model"):
        Scoring(metrics=("bleu", "comet")).score(GUESS, [TRUTH])
    with pytest.raises(UsageError, match="a comparison needs two systems or more, not 1"):
        Scoring().compare({"a": GUESS}, [TRUTH])
