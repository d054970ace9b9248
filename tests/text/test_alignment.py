from __future__ import annotations

import numpy
import pytest

from seq2seq.text.alignment import align_words, first_words, join_alignments, words_of_prefixes


def test_a_target_word_goes_with_the_source_word_that_its_pieces_attend_to_most() -> None:
    # Source: "un chat|on noir", 4 pieces of 3 words, end, padding. Target: "a black|ish kit|ten", 5 pieces, end.
    attention = numpy.array(
        [
            [0.50, 0.20, 0.20, 0.10, 0.0, 0.0],
            [0.00, 0.10, 0.15, 0.60, 0.15, 0.0],
            [0.45, 0.00, 0.00, 0.40, 0.15, 0.0],
            [0.40, 0.25, 0.25, 0.05, 0.05, 0.0],  # less to either piece than to the first word, but more to both
            [0.30, 0.20, 0.30, 0.10, 0.10, 0.0],
            [0.00, 0.00, 0.00, 0.00, 1.00, 0.0],
        ],
        dtype=numpy.float32,
    )
    found = align_words(attention, source_words=[0, 1, 1, 2], target_words=[0, 1, 1, 2, 2])
    assert found == ((0, 0), (2, 1), (1, 2))


def test_the_end_of_sentence_and_padding_are_no_words() -> None:
    attention = numpy.array([[0.1, 0.2, 0.6, 0.9]], dtype=numpy.float32)
    assert align_words(attention, source_words=[0, 1], target_words=[0]) == ((1, 0),)


def test_a_word_that_attends_to_no_word_is_left_out() -> None:
    attention = numpy.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=numpy.float32)
    assert align_words(attention, source_words=[0, 1], target_words=[0, 1]) == ((1, 1),)


def test_without_words_there_is_no_alignment() -> None:
    attention = numpy.zeros((1, 1), dtype=numpy.float32)
    assert align_words(attention, source_words=[], target_words=[0]) == ()
    assert align_words(attention, source_words=[0], target_words=[]) == ()


def test_pieces_belong_to_the_word_that_they_are_in_or_begin() -> None:
    pieces = ["▁", "l", "'", "▁eau", "▁", "<unk>", "x"]
    prefixes = ["", "l", "l'", "l' eau", "l' eau ", "l' eau ⁇", "l' eau ⁇ x"]
    assert words_of_prefixes(prefixes, pieces, words=4) == [0, 0, 0, 1, 2, 2, 3]


def test_a_letter_in_bytes_is_one_word_however_its_parts_read() -> None:
    pieces = ["▁a", "▁", "<0xC3>", "<0xA9>"]
    assert words_of_prefixes(["a", "a ", "a \ufffd", "a é"], pieces, words=2) == [0, 1, 1, 1]


def test_words_after_the_last_count_as_the_last() -> None:
    assert words_of_prefixes(["a", "a b"], ["▁a", "▁b"], words=1) == [0, 0]
    assert words_of_prefixes(["a", "a "], ["▁a", "▁"], words=1) == [0, 0]


@pytest.mark.parametrize(
    ("whole", "parts", "expected"),
    [
        ("one two three", ["one two", "three"], [0, 2]),
        ("  one two\u2028three ", ["  one", "two", "three "], [0, 1, 2]),
        ("onetwo three", ["one", "two three"], [0, 0]),
        ("one two", ["one", "", "  ", "two"], [0, 1, 1, 1]),
        ("abcdef", ["ab", "cd", "ef"], [0, 0, 0]),
        ("", [""], [0]),
        ("a a a", ["a", "a", "a"], [0, 1, 2]),
    ],
)
def test_first_words_of_parts(whole: str, parts: list[str], expected: list[int]) -> None:
    assert first_words(whole, parts) == expected


def test_alignments_of_parts_count_on_and_name_no_pair_twice() -> None:
    joined = join_alignments([((0, 0), (1, 1)), ((0, 0), (1, 1))], sources=[0, 1], targets=[0, 1])
    assert joined == ((0, 0), (1, 1), (2, 2))
