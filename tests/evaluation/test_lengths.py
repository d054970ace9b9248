"""Buckets of lengths, by hand."""

from __future__ import annotations

import pytest

from seq2seq.errors import UsageError
from seq2seq.evaluation.buckets import Bucket, buckets_ending_at, joined
from seq2seq.evaluation.lengths import ENOUGH, by_length


def names(buckets: list[Bucket]) -> list[str]:
    return [str(bucket) for bucket in buckets]


def test_buckets_end_where_they_are_told() -> None:
    buckets = buckets_ending_at([5, 6, 10], start=1)
    assert names(buckets) == ["1-5", "6", "7-10", "11+"]
    assert [[number in bucket for bucket in buckets].index(True) for number in (1, 5, 6, 7, 10, 11, 99)] == [
        0, 0, 1, 2, 2, 3, 3
    ]  # fmt: skip
    assert 0 not in buckets[0]
    assert names(buckets_ending_at([], start=1)) == ["1+"]
    for wrong in ([5, 5], [5, 3], [0]):
        with pytest.raises(UsageError, match="are not in order; name numbers from 1 on, each larger than the one"):
            buckets_ending_at(wrong, start=1)


def test_small_buckets_join_the_next_one_and_the_last_the_one_before() -> None:
    buckets = buckets_ending_at([5, 10, 15, 20], start=1)
    numbers = [3] * 2 + [8] * 1 + [12] * 5 + [18] * 3 + [30] * 2
    assert names(joined(buckets, numbers, least=3)) == ["1-10", "11-15", "16+"]
    assert names(joined(buckets, numbers, least=2)) == ["1-5", "6-15", "16-20", "21+"]
    assert names(joined(buckets, numbers, least=14)) == ["1+"]
    assert names(joined(buckets, numbers, least=13)) == ["1+"]
    assert names(joined(buckets, [3, 8, 12, 18], least=2)) == ["1-10", "11+"]


def test_lengths_count_what_bleu_counts() -> None:
    lines = ["un", "un deux, trois.", "", "un deux trois quatre cinq six", "Hé !"]
    # 1, 5 with the marks, 0, 6 and 2 tokens.
    assert by_length(lines, ends=[1, 5]) == {"0-1": [0, 2], "2-5": [1, 4], "6+": [3]}
    # 3 words in the second line without the marks apart.
    assert by_length(lines, ends=[1, 4], tokenize="none") == {"0-1": [0, 2], "2-4": [1, 4], "5+": [3]}
    assert by_length(lines[:2], ends=[1, 2], tokenize="char") == {"2": [0], "3+": [1]}
    # Nothing is empty, and the shortest sentence has one token.
    assert by_length(lines[:2], ends=[5, 9]) == {"1-5": [0, 1]}


def test_buckets_without_ends_have_enough_sentences() -> None:
    lines = ["a b c"] * (ENOUGH - 1) + ["a b c d e f"] * 1 + ["a b c d e f g h i j k"] * ENOUGH + ["a " * 40] * 5
    found = by_length(lines)
    assert {name: len(places) for name, places in found.items()} == {"1-10": ENOUGH, "11+": ENOUGH + 5}
