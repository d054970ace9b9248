"""F1, precision and recall of words in buckets of frequency: a case worked by hand, and intervals by brute force."""

from __future__ import annotations

from collections import Counter

import numpy
import pytest

from seq2seq.evaluation.breakdown import Breakdown
from seq2seq.evaluation.frequencies import WordCounts, Words, break_down_words

WORDS = Words(tokenize="none", ends=(0, 1, 9))
FREQUENCIES = WordCounts({"the": 100, "cat": 5, "sat": 3, "dog": 1}, "train.en")
HYPOTHESES = ["the cat the dog", "the the mat mat mat"]
REFERENCES = ["the dog sat the mat the", "the mat cat"]


def values(found: Breakdown, system: str) -> list[list[float | None]]:
    return [[None if score is None else score.value for score in scores] for scores in found.scores[system]]


def test_by_hand() -> None:
    r"""Of every word: how often it is in both (clipped in each sentence), in the hypotheses, in the references.

        mat (never seen)    0 + 1,  0 + 3,  1 + 1
        dog (once)          1,      1,      1
        cat, sat (2 to 9)   0,      1,      2
        the (10 or more)    2 + 1,  2 + 2,  3 + 1

    Were matches clipped over the whole text, `the` would have 4 and `mat` 2.
    """
    found = break_down_words({"mine": HYPOTHESES}, [REFERENCES], FREQUENCIES, words=WORDS)
    assert (found.buckets, found.counts) == (("0", "1", "2-9", "10+"), (2, 1, 2, 4))
    assert found.measures == ("F1", "precision", "recall")
    expected = [[200 / 5, 100 / 3, 100 / 2], [100.0] * 3, [0.0] * 3, [75.0] * 3]
    numpy.testing.assert_allclose(numpy.array(values(found, "mine"), dtype=float), expected)
    score = found.scores["mine"][0][0]
    assert score is not None
    assert (score.metric, score.half_width) == ("f1", None)
    assert score.signature == "nrefs:1|case:mixed|tok:none|frequency:train.en"


def test_what_is_not_there_has_no_figure() -> None:
    systems = {"mine": ["the cat", ""], "theirs": HYPOTHESES}
    found = break_down_words(systems, [["the cat", "dog"]], FREQUENCIES, words=WORDS)
    # No reference has a word that was never seen, and `mine` has no dog.
    assert (found.buckets, found.counts) == (("1", "2-9", "10+"), (1, 1, 1))
    assert values(found, "mine") == [[0.0, None, 0.0], [100.0] * 3, [100.0] * 3]
    assert found.as_dict()["buckets"][0]["systems"]["mine"][1] is None


def test_every_reference_counts() -> None:
    found = break_down_words({"mine": ["the dog"]}, [["the dog"], ["the the cat"]], FREQUENCIES, words=WORDS)
    # the: matches 1 + 1, in the hypothesis 1 + 1, in the references 1 + 2; dog: 1 + 0, 1 + 1, 1 + 0.
    expected = {"1": [200 / 3, 50.0, 100.0], "2-9": [0.0, None, 0.0], "10+": [80.0, 100.0, 200 / 3]}
    for bucket, figures in zip(found.buckets, values(found, "mine"), strict=True):
        assert figures == pytest.approx(expected[bucket])


def test_case_and_tokens() -> None:
    words = Words(lowercase=True, ends=(0,))
    counts = words.count(["Le chat.", "le chien, le chat"], name="x")
    assert counts.counts == {"le": 3, "chat": 2, ".": 1, "chien": 1, ",": 1}
    assert Words().count(["Le le."], name="x").counts == {"Le": 1, "le": 1, ".": 1}
    found = break_down_words({"mine": ["LE chien."]}, [["le chien"]], counts, words=words)
    assert found.buckets == ("1+",)
    assert values(found, "mine")[0] == pytest.approx([80.0, 200 / 3, 100.0])
    score = found.scores["mine"][0][0]
    assert score is not None
    assert score.signature == "nrefs:1|case:lc|tok:13a|frequency:x"


def test_intervals_are_those_of_resampled_sentences() -> None:
    hypotheses = [f"the {'cat' if n % 3 else 'dog'} {'mat' if n % 4 else 'sat'} the" for n in range(30)]
    references = [f"the {'cat' if n % 2 else 'dog'} {'mat' if n % 5 else 'cat'}" for n in range(30)]
    found = break_down_words({"mine": hypotheses}, [references], FREQUENCIES, words=WORDS, resamples=40)
    assert found.buckets == ("0", "1", "2-9", "10+")
    random = numpy.random.default_rng(12345)
    scores = []
    for _ in range(40):
        matches = inside = expected = 0
        for place in random.choice(30, size=30):
            here, there = Counter(hypotheses[place].split()), Counter(references[place].split())
            for word in ("cat", "sat"):
                matches += min(here[word], there[word])
                inside += here[word]
                expected += there[word]
        scores.append(100 * 2 * matches / (inside + expected))
    scores.sort()
    score = found.scores["mine"][2][0]
    assert score is not None
    assert score.mean == pytest.approx(sum(scores) / 40)
    assert score.half_width == pytest.approx((scores[38] - scores[1]) / 2)
    assert "|bs:40|seed:12345|" in score.signature


def test_a_figure_that_some_resamples_lack_has_no_interval() -> None:
    found = break_down_words(
        {"mine": ["the"] * 5 + ["dog"]}, [["the"] * 5 + ["dog"]], FREQUENCIES, words=WORDS, resamples=100
    )
    dog, the = found.scores["mine"]
    assert [score is not None and score.half_width for score in dog] == [None] * 3
    assert [score is not None and score.half_width for score in the] == [0.0] * 3
